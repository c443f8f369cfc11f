//! Cases of forwarded fields: what arrives upstream of what a peer sent.

use serde_json::Value;

use crate::scenarios::Verdict;

/// Runs one case.
pub(super) fn run(_case: &Value, _meta: &Value) -> Verdict {
    Verdict::Unsupported("forwarded fields are not expressed yet".to_owned())
}
