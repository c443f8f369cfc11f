//! Cases of HTTP/1 requests as bytes: how the proxy answers them.

use serde_json::Value;

use crate::scenarios::Verdict;

/// Runs one case.
pub(super) fn run(_case: &Value, _meta: &Value) -> Verdict {
    Verdict::Unsupported("HTTP/1 requests are not expressed yet".to_owned())
}
