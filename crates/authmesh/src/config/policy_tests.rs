//! Tries the access rules of a configuration with the requests that stand beside them.

use authmesh_logic::authorization::Action;
use authmesh_logic::config::{Code, MeshConfig, Outside, Problem};

/// What a policy test found that is not as it says.
pub(super) fn problems(config: &MeshConfig, outside: &Outside) -> Vec<Problem> {
    let tests = &config.security.policy_tests;
    if tests.is_empty() {
        return Vec::new();
    }
    let rules = config.security.access_rules();
    let mut problems = Vec::new();
    for (test, span) in tests.iter().zip(&outside.policy_tests) {
        let Err(decision) = test.run(&rules) else { continue };
        let by = test.by.as_ref().map_or_else(String::new, |by| format!(" by policy `{by}`"));
        let expected = match test.expect {
            Action::Allow => "allowed",
            Action::Deny => "denied",
        };
        let (case, found) = (&test.case, rules.describe(&decision));
        let sentence =
            format!("`{} {}` must be {expected}{by}, and is {found}", case.method(), case.path());
        let problem = Problem::new(Code::PolicyTestFails, *span, sentence);
        let decided = decision.rule.and_then(|place| outside.policies.get(place));
        problems.push(match decided {
            Some(place) => problem.again(*place, "decided by this policy"),
            None => problem,
        });
    }
    problems
}
