//! Cases of HTTP/1 answers of an upstream as bytes: what the client gets of them.

use serde::Deserialize;
use serde_json::Value;

use super::bytes::{Part, bytes};
use super::live::{Answer, Live, Silence};
use super::played;
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
    _kind: RawAnswer,
    request_method: String,
    request_has_upgrade: bool,
    raw: Option<String>,
    raw_b64: Option<String>,
    parts: Option<Vec<Part>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "what is for people")]
struct Expect {
    rfc: Value,
    notes: Value,
    authmesh_strict: String,
}

#[derive(Deserialize)]
enum RawAnswer {
    #[serde(rename = "raw_tcp_upstream_response")]
    Ours,
}

/// What an expectation says.
#[derive(Default)]
struct Wanted {
    /// What may go downstream; one of them.
    downstream: Vec<Downstream>,
    /// Whether the connection to the upstream must end.
    closes: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Downstream {
    Status(u16),
    /// The upstream's own answer, whole.
    Delivered,
    /// The head of an answer that then breaks off.
    Aborted,
}

impl Case {
    async fn play(self) -> Result<(), Verdict> {
        let wanted = Wanted::read(&self.expect.authmesh_strict)?;
        let Input { request_method, request_has_upgrade, raw, parts, .. } = &self.input;
        let bytes = bytes(raw.as_deref(), parts.as_deref())?;
        let live = Live::start(bytes, "").await.map_err(Verdict::Unsupported)?;
        let mut client =
            live.connect().await.map_err(|error| Verdict::Failed(error.to_string()))?;
        let upgrade =
            if *request_has_upgrade { "Connection: upgrade\r\nUpgrade: websocket\r\n" } else { "" };
        let request = format!("{request_method} / HTTP/1.1\r\nHost: a\r\n{upgrade}\r\n");
        client.send(request.as_bytes()).await;
        let answer = client.answer_or(Silence::EndsUpstream(&live)).await;
        let is_met = match &answer {
            Some(answer) => wanted.is_met_by(answer),
            // Broken off before anything of it was sent.
            None => {
                wanted.downstream.contains(&Downstream::Aborted) && client.rest().await.is_some()
            }
        };
        if !is_met {
            return Err(Verdict::Failed(format!(
                "expected {:?}, got {answer:?}",
                wanted.downstream
            )));
        }
        if wanted.closes && !live.closes_upstream().await {
            return Err(Verdict::Failed("expected the upstream connection to end".to_owned()));
        }
        Ok(())
    }
}

impl Wanted {
    /// Reads `502, close upstream` and its like; a phrase that is not known makes the whole so.
    fn read(text: &str) -> Result<Self, Verdict> {
        let mut wanted = Self::default();
        let without_remark = text.split(" (").next().unwrap_or_default();
        for phrase in without_remark.split([',', ';']).map(str::trim) {
            match phrase {
                "abort downstream" => wanted.downstream.push(Downstream::Aborted),
                "accept" => wanted.downstream.push(Downstream::Delivered),
                "502 or close-delimited" => {
                    wanted.downstream.extend([Downstream::Status(502), Downstream::Delivered]);
                }
                "close" | "close upstream" | "close upstream connection" | "never reuse" => {
                    wanted.closes = true;
                }
                // Whatever goes downstream is written anew, so this asks for nothing more.
                "re-emit CRLF" => {}
                _ => match phrase.split_once(' ').map_or((phrase, ""), |parts| parts) {
                    (status, rest) if is_bound(rest) => {
                        let status = status.parse().map_err(|_| unknown(phrase))?;
                        wanted.downstream.push(Downstream::Status(status));
                    }
                    _ => return Err(unknown(phrase)),
                },
            }
        }
        if wanted.downstream.is_empty() { Err(unknown(text)) } else { Ok(wanted) }
    }

    fn is_met_by(&self, answer: &Answer) -> bool {
        self.downstream.iter().any(|wanted| match wanted {
            Downstream::Status(status) => answer.is_whole && answer.status == *status,
            Downstream::Delivered => answer.is_whole && (200..300).contains(&answer.status),
            Downstream::Aborted => !answer.is_whole,
        })
    }
}

/// Whether this says when a status is given, rather than what else.
fn is_bound(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with("after ") || rest.starts_with("when over ")
}

fn unknown(phrase: &str) -> Verdict {
    Verdict::Unsupported(format!("the expectation `{phrase}` is not known"))
}
