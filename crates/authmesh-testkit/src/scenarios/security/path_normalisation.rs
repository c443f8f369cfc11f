//! Cases of paths: their normal form, or why there is none.

use serde_json::Value;

use crate::scenarios::Verdict;

/// Runs one case.
pub(super) fn run(_case: &Value, _meta: &Value) -> Verdict {
    Verdict::Unsupported("paths are not expressed yet".to_owned())
}
