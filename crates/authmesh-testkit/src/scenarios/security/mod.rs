//! Cases of the security file, one module for each group of them.
//!
//! A group's module compares what its cases expect with what public functions return. Adding a
//! group is adding a file and its line in [`run`].

mod authz;
mod bytes;
mod config_error;
mod frames;
mod headers;
mod http1_request;
mod http1_response;
mod http2;
mod judged;
mod jwt;
mod live;
mod path_normalisation;
mod spiffe_id;
mod x509_svid;

use serde::Deserialize;
use serde::de::DeserializeOwned;
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
        Some("jwt") => jwt::run(case, meta),
        Some("path_normalisation") => path_normalisation::run(case, meta),
        Some("spiffe_id") => spiffe_id::run(case, meta),
        Some("x509_svid") => x509_svid::run(case, meta),
        Some(group) => Verdict::Unsupported(format!("the group {group} is not expressed yet")),
        None => Verdict::Unsupported("a case without a group".to_owned()),
    }
}

/// What the upstream of a case answers when the answer is not the question.
const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// A case that is played on sockets, as the file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "what is for people")]
struct Case<Input, Expect> {
    id: String,
    group: String,
    title: String,
    source: Value,
    observed: Option<Value>,
    input: Input,
    expect: Expect,
}

/// Reads a case and plays it; what its group does not know makes it unsupported.
fn played<Input: DeserializeOwned, Expect: DeserializeOwned>(
    case: &Value,
    play: impl AsyncFnOnce(Case<Input, Expect>) -> Result<(), Verdict>,
) -> Verdict {
    let case = match Case::deserialize(case) {
        Ok(case) => case,
        Err(error) => return Verdict::Unsupported(error.to_string()),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.map(|runtime| runtime.block_on(play(case))) {
        Ok(played) => played.err().unwrap_or(Verdict::Passed),
        Err(error) => Verdict::Unsupported(error.to_string()),
    }
}
