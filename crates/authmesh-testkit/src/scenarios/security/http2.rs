//! Cases of HTTP/2 connections as bytes: how the proxy answers them.

use serde_json::Value;

use crate::scenarios::Verdict;

/// Runs one case.
pub(super) fn run(_case: &Value, _meta: &Value) -> Verdict {
    Verdict::Unsupported("HTTP/2 connections are not expressed yet".to_owned())
}
