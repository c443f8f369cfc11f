//! Cases of HTTP/1 requests as bytes: how the proxy answers them.

use serde::Deserialize;
use serde_json::Value;

use super::bytes::{Part, bytes};
use super::live::{Live, Silence};
use super::{OK, played};
use crate::scenarios::Verdict;

/// Runs one case.
pub(super) fn run(case: &Value, _meta: &Value) -> Verdict {
    played(case, Case::play)
}

type Case = super::Case<Input, Expect>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the same bytes again")]
struct Input {
    #[serde(rename = "kind")]
    _kind: RawTcp,
    #[serde(rename = "listener")]
    _listener: Plaintext,
    raw: Option<String>,
    raw_b64: Option<String>,
    parts: Option<Vec<Part>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "what is for people")]
struct Expect {
    rfc: Value,
    authmesh_strict: String,
    notes: Value,
    /// The statuses of which one must come first.
    status: Vec<u16>,
    close: Close,
}

#[derive(Deserialize)]
enum RawTcp {
    #[serde(rename = "raw_tcp")]
    Ours,
}

#[derive(Deserialize)]
enum Plaintext {
    #[serde(rename = "plaintext h1")]
    Ours,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Close {
    Known(bool),
    Any(Either),
}

#[derive(Deserialize)]
enum Either {
    #[serde(rename = "either")]
    Either,
}

/// A request whose arrival shows that the connection was still open.
const AFTER: &str = "GET /after HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

impl Case {
    async fn play(self) -> Result<(), Verdict> {
        let live = Live::start(OK.into(), "").await.map_err(Verdict::Unsupported)?;
        let mut client = live.connect().await.map_err(|error| failed(&error))?;
        client.send(&bytes(self.input.raw.as_deref(), self.input.parts.as_deref())?).await;
        let answer = client.answer_or(Silence::EndsClient).await;
        let status = answer.as_ref().map(|answer| answer.status);
        if !status.is_some_and(|status| self.expect.status.contains(&status)) {
            return Err(failed(&format_args!("status {:?}, not {status:?}", self.expect.status)));
        }
        if self.expect.authmesh_strict == "accept" && status != Some(200) {
            return Err(failed(&format_args!("accept, not {status:?}")));
        }
        let Close::Known(wanted) = self.expect.close else { return Ok(()) };
        client.send(AFTER.as_bytes()).await;
        let has_ended = client.rest().await.is_some();
        let was_open = live.requests().iter().any(|request| request.starts_with("GET /after "));
        match (wanted, has_ended && !was_open, was_open) {
            (true, true, _) | (false, _, true) => Ok(()),
            (wanted, ..) => Err(failed(&format_args!("close {wanted}"))),
        }
    }
}

fn failed(what: &dyn std::fmt::Display) -> Verdict {
    Verdict::Failed(format!("expected {what}"))
}
