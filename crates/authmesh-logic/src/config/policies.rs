//! Access rules as the file says them, and the tests that stand beside them.

use alloc::boxed::Box;

use crate::authorization::{AccessCase, AccessRule, AccessRules, Action, Decision, DefaultAccess};

/// One `[[policy]]`: an access rule, and where it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyConfig {
    /// The rule.
    pub rule: AccessRule,
    /// Where it is written, as far as a file is known.
    pub origin: Origin,
}

/// One `[[policy_test]]`: a request, and what the rules must say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyTest {
    /// Its name, if it has one.
    pub name: Option<Box<str>>,
    /// The request.
    pub case: AccessCase,
    /// Whether it must be allowed or denied.
    pub expect: Action,
    /// The name of the rule that must decide, if that matters.
    pub by: Option<Box<str>>,
    /// Where it is written, as far as a file is known.
    pub origin: Origin,
}

/// Where something is written. Moving a rule changes nothing of what it says, so all places are
/// equal.
#[derive(Clone, Debug, Default)]
pub struct Origin(pub Option<(Box<str>, usize)>);

impl PartialEq for Origin {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Origin {}

impl core::fmt::Display for Origin {
    /// `file:line`, or nothing.
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match &self.0 {
            Some((file, line)) => write!(formatter, "{file}:{line}"),
            None => Ok(()),
        }
    }
}

impl PolicyTest {
    /// Asks the rules.
    ///
    /// # Errors
    /// What they say, if it is not what is expected.
    pub fn run(&self, rules: &AccessRules) -> Result<Decision, Decision> {
        let decision = self.case.decide(rules);
        let decided = decision.rule.map(|place| &*rules.rules()[place].name);
        let is_expected = decision.answer.is_allowed() == (self.expect == Action::Allow);
        let is_by_it = self.by.is_none() || decided == self.by.as_deref();
        if is_expected && is_by_it { Ok(decision) } else { Err(decision) }
    }
}

impl super::SecurityConfig {
    /// The rules that are in force, by their places in `policies`.
    #[must_use]
    pub fn access_rules(&self) -> AccessRules {
        let rules = self.policies.iter().map(|policy| policy.rule.clone()).collect();
        AccessRules::new(rules, self.authorization.unwrap_or(DefaultAccess::Deny))
    }
}
