//! Cases of faults in the configuration: which code at which place.

use serde_json::Value;

use crate::scenarios::Verdict;

/// Runs one case.
pub(super) fn run(_case: &Value, _meta: &Value) -> Verdict {
    Verdict::Unsupported("faults of the configuration are not expressed yet".to_owned())
}
