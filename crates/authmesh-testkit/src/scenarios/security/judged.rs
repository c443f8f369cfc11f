//! Compares yes and no with what a case, and the standard behind it, expect.

use serde::Deserialize;

use crate::scenarios::Verdict;

/// What is expected of us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Strict {
    Accept,
    Reject,
}

/// What the standard requires or allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Spec {
    Valid,
    Invalid,
    Accept,
    Reject,
    RejectRecommended,
    ImplementationChoice,
}

/// Compares whether something was accepted. Where we are stricter than the standard has to be, the
/// case says so itself.
pub(super) fn check(strict: Strict, spec: Spec, is_accepted: bool) -> Result<(), Verdict> {
    let differs = |expected: String| {
        let found = if is_accepted { "accept" } else { "reject" };
        Err(Verdict::Failed(format!("verdict: expected {expected}, got {found}")))
    };
    if is_accepted != (strict == Strict::Accept) {
        return differs(format!("{strict:?}").to_lowercase());
    }
    match spec {
        Spec::Invalid | Spec::Reject if is_accepted => differs(format!("{spec:?}").to_lowercase()),
        _ => Ok(()),
    }
}
