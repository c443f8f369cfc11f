//! Cases of HTTP/1 answers of an upstream as bytes: what the client gets.

use serde_json::Value;

use crate::scenarios::Verdict;

/// Runs one case.
pub(super) fn run(_case: &Value, _meta: &Value) -> Verdict {
    Verdict::Unsupported("HTTP/1 answers are not expressed yet".to_owned())
}
