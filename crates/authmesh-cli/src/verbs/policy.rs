//! `policy test`: runs the policy tests of a file, and tells each result.

use authmesh::config::{self, PolicyTest};
use serde_json::{Value, json};

use crate::arguments::PolicyTests;
use crate::ending::{Ending, Failure};
use crate::mesh_file::mesh_file;
use crate::print;

/// Reads the file and runs its tests. The answer is yes if all end as they say.
pub(crate) fn test(tests: PolicyTests) -> Result<Ending, Failure> {
    let file = mesh_file(tests.file)?;
    let loaded = match config::load_untried(&file) {
        Ok(loaded) => loaded,
        Err(problems) => {
            print::report(&problems);
            return Err(Failure::bad_input(format!("{} cannot be used", file.display())));
        }
    };
    let security = &loaded.config.security;
    let rules = security.access_rules();
    let (mut results, mut failed) = (Vec::new(), 0);
    for test in &security.policy_tests {
        let run = test.run(&rules);
        let (passed, Ok(decision) | Err(decision)) = (run.is_ok(), run);
        failed += usize::from(!passed);
        let said = rules.describe(&decision);
        if !tests.output.is_json() {
            let word = if passed { "ok  " } else { "FAIL" };
            print::asked(&format!("{word} {}: {said}  ({})", title(test), test.origin));
        }
        results.push(result(test, passed, &said));
    }
    let passed = results.len() - failed;
    if tests.output.is_json() {
        let report =
            json!({ "ok": failed == 0, "passed": passed, "failed": failed, "tests": results });
        print::asked(&report.to_string());
    }
    print::words(&format!("policy tests: {passed} passed, {failed} failed"));
    Ok(if failed == 0 { Ending::Done } else { Ending::No })
}

/// The name of a test, or what it asks.
fn title(test: &PolicyTest) -> String {
    let case = &test.case;
    match &test.name {
        Some(name) => name.to_string(),
        None => format!("{} {} of {}", case.method(), case.path(), case.service.as_str()),
    }
}

fn result(test: &PolicyTest, passed: bool, said: &str) -> Value {
    json!({
        "name": title(test),
        "passed": passed,
        "expected": test.expect.word(),
        "found": said,
        "origin": test.origin.to_string(),
    })
}
