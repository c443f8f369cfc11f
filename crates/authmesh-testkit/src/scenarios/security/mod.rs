//! Cases of the security file, one module for each group of them.
//!
//! A group's module compares what its cases expect with what public functions return. Adding a
//! group is adding a file and its line in [`run`].

mod authz;
mod config_error;
mod headers;
mod http1_request;
mod http1_response;
mod http2;
mod path_normalisation;
mod spiffe_id;
mod x509_svid;

use serde_json::Value;

use super::Verdict;

/// Runs one case. `meta` is what the file says of all its cases: keys, bundles, settings.
pub(super) fn run(case: &Value, meta: &Value) -> Verdict {
    match case.get("group").and_then(Value::as_str) {
        Some("authz") => authz::run(case, meta),
        Some("config_error") => config_error::run(case, meta),
        Some("headers") => headers::run(case, meta),
        Some("http1_request") => http1_request::run(case, meta),
        Some("http1_response") => http1_response::run(case, meta),
        Some("http2") => http2::run(case, meta),
        Some("path_normalisation") => path_normalisation::run(case, meta),
        Some("spiffe_id") => spiffe_id::run(case, meta),
        Some("x509_svid") => x509_svid::run(case, meta),
        Some(group) => Verdict::Unsupported(format!("the group {group} is not expressed yet")),
        None => Verdict::Unsupported("a case without a group".to_owned()),
    }
}
