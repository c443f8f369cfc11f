//! Cases of certificate chains: which prove an identity, or why not.

use serde_json::Value;

use crate::scenarios::Verdict;

/// Runs one case.
pub(super) fn run(_case: &Value, _meta: &Value) -> Verdict {
    Verdict::Unsupported("certificate chains are not expressed yet".to_owned())
}
