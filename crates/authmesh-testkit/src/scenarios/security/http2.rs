//! Cases of HTTP/2 connections as bytes: how the proxy answers them.

use base64ct::{Base64, Encoding};
use serde::Deserialize;
use serde_json::Value;

use super::frames::{
    AGAIN, CONTINUATION, DATA, END_HEADERS, END_STREAM, Event, HEADERS, PING, PRIORITY, RST_STREAM,
    SETTINGS, WINDOW_UPDATE, events, frame, kept, literal, preface,
};
use super::live::Live;
use super::{OK, played};
use crate::scenarios::Verdict;

/// Runs one case.
pub(super) fn run(case: &Value, _meta: &Value) -> Verdict {
    played(case, Case::play)
}

type Case = super::Case<Input, Expect>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the kind and the flag stand in the bytes as well")]
struct Input {
    kind: Value,
    fields: Option<Value>,
    end_stream: Option<bool>,
    text: Option<String>,
    pattern: Option<String>,
    count: Option<u32>,
    wire_b64: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "what is for people")]
struct Expect {
    rfc: String,
    authmesh_strict: String,
    notes: Value,
}

/// What the proxy must do; of several, one.
#[derive(Debug)]
enum Wanted {
    Status(u16),
    /// Any reset, or one with this error.
    Reset(Option<u32>),
    /// Any end of the connection, or one with this error.
    GoAway(Option<u32>),
    /// A request with this field, once, arrives upstream.
    Upstream(String),
}

const REFUSED_STREAM: u32 = 7;
const ENHANCE_YOUR_CALM: u32 = 11;

impl Case {
    async fn play(self) -> Result<(), Verdict> {
        let wanted = wanted(&self.expect)?;
        let bytes = self.input.bytes()?;
        let live = Live::start(OK.into(), "").await.map_err(Verdict::Unsupported)?;
        let mut client =
            live.connect().await.map_err(|error| Verdict::Failed(error.to_string()))?;
        client.send(&bytes).await;
        let is_met = |bytes: &[u8]| {
            let events = events(bytes);
            wanted.iter().any(|wanted| wanted.is_met_by(&events, &live.requests()))
        };
        let came = client.until(is_met, |bytes| !events(bytes).is_empty()).await;
        if is_met(came) {
            return Ok(());
        }
        let (events, requests) = (events(came), live.requests());
        Err(Verdict::Failed(format!("expected {wanted:?}, got {events:?} and {requests:?}")))
    }
}

impl Input {
    fn bytes(&self) -> Result<Vec<u8>, Verdict> {
        if let Some(wire) = &self.wire_b64 {
            return Base64::decode_vec(wire).map_err(|error| unsupported(&error.to_string()));
        }
        let mut bytes = preface();
        if let Some(pattern) = &self.pattern {
            bytes.extend(flood(pattern, self.count.unwrap_or(1).min(MOST))?);
            return Ok(bytes);
        }
        match self.text.as_deref() {
            Some("DATA frame of 16385 bytes on stream 1") => {
                bytes.extend(frame(HEADERS, END_HEADERS, 1, &literal(&POST)));
                bytes.extend(frame(DATA, END_STREAM, 1, &[0; 16_385]));
            }
            Some("literal+incremental x-b (4000 B) then index 62 x 10000") => {
                let mut block = literal(&GET);
                block.extend(kept("x-b", &"b".repeat(4_000)));
                block.extend([AGAIN; 10_000]);
                bytes.extend(frame(HEADERS, END_HEADERS | END_STREAM, 1, &block));
            }
            Some("literal+incremental cookie:a then index 62 x 5000") => {
                let mut block = literal(&GET);
                block.extend(kept("cookie", "a"));
                block.extend([AGAIN; 5_000]);
                bytes.extend(frame(HEADERS, END_HEADERS | END_STREAM, 1, &block));
            }
            Some("1000 fields x-N: 1") => {
                let mut block = literal(&GET);
                (0..1_000).for_each(|number| {
                    block.extend(literal(&[(&format!("x-{number}"), "1")]));
                });
                bytes.extend(frame(HEADERS, END_HEADERS | END_STREAM, 1, &block));
            }
            other => return Err(unsupported(&format!("the frames {other:?}"))),
        }
        Ok(bytes)
    }
}

/// The most often that a pattern is repeated.
const MOST: u32 = 100_000;

/// The frames of a pattern such as `HEADERS,RST_STREAM`, again and again, each time on another
/// stream. A frame with `*` is the only one that is repeated.
fn flood(pattern: &str, count: u32) -> Result<Vec<u8>, Verdict> {
    let words: Vec<&str> = pattern.split(',').map(str::trim).collect();
    let mut bytes = Vec::new();
    if let [once @ .., last] = words.as_slice()
        && let Some(repeated) = last.strip_suffix('*')
    {
        for word in once {
            bytes.extend(frame_of(word, 0, 1)?);
        }
        for number in 0..count {
            bytes.extend(frame_of(repeated, number, 1)?);
        }
        return Ok(bytes);
    }
    for number in 0..count {
        for word in &words {
            bytes.extend(frame_of(word, number, stream(number))?);
        }
    }
    Ok(bytes)
}

/// One frame of a pattern.
fn frame_of(word: &str, number: u32, stream: u32) -> Result<Vec<u8>, Verdict> {
    Ok(match word {
        "HEADERS" | "HEADERS(END_STREAM)" => {
            frame(HEADERS, END_HEADERS | END_STREAM, stream, &literal(&GET))
        }
        "HEADERS(no END_STREAM)" => frame(HEADERS, END_HEADERS, stream, &literal(&POST)),
        "HEADERS(no END_HEADERS)" => frame(HEADERS, END_STREAM, stream, &literal(&GET)),
        "CONTINUATION" => {
            frame(CONTINUATION, 0, stream, &literal(&[(&format!("x-{number}"), "1")]))
        }
        "RST_STREAM" | "RST_STREAM(CANCEL)" => frame(RST_STREAM, 0, stream, &[0, 0, 0, 8]),
        "WINDOW_UPDATE(0)" => frame(WINDOW_UPDATE, 0, stream, &[0; 4]),
        "PRIORITY" => frame(PRIORITY, 0, 1, &[0, 0, 0, 0, 16]),
        "PING" => frame(PING, 0, 0, &[0; 8]),
        "SETTINGS" => frame(SETTINGS, 0, 0, &[]),
        "DATA(empty)" | "DATA(0)" => frame(DATA, 0, stream, &[]),
        _ => return Err(unsupported(word)),
    })
}

const GET: [(&str, &str); 4] =
    [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a")];
const POST: [(&str, &str); 4] =
    [(":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "a")];

const fn stream(number: u32) -> u32 {
    2 * number + 1
}

/// Reads what is expected; words that are not known make the case so.
fn wanted(expect: &Expect) -> Result<Vec<Wanted>, Verdict> {
    let text = expect.authmesh_strict.as_str();
    if let Some(rest) = text.strip_prefix("forward one '") {
        let field = rest.strip_suffix("' to h1").ok_or_else(|| unsupported(text))?;
        return Ok(vec![Wanted::Upstream(field.to_owned())]);
    }
    // RFC 9113 §5.4.1: an endpoint may take an error of a stream for one of the connection.
    if expect.rfc == "stream_error_or_400"
        && matches!(
            text,
            "RST_STREAM PROTOCOL_ERROR or 400" | "RST_STREAM PROTOCOL_ERROR" | "reject 400"
        )
    {
        return Ok(vec![Wanted::Status(400), Wanted::Reset(None), Wanted::GoAway(None)]);
    }
    Ok(match text.split(';').next().unwrap_or_default() {
        "accept" => vec![Wanted::Status(200)],
        "reject 400" => vec![Wanted::Status(400)],
        "431" | "431 above limits.headers (100)" => vec![Wanted::Status(431)],
        "431 or RST_STREAM" => vec![Wanted::Status(431), Wanted::Reset(None), Wanted::GoAway(None)],
        "RST_STREAM REFUSED_STREAM over 100" => vec![Wanted::Reset(Some(REFUSED_STREAM))],
        "GOAWAY" | "GOAWAY after <=20 CONTINUATION or over header-list limit" => {
            vec![Wanted::GoAway(None)]
        }
        "GOAWAY ENHANCE_YOUR_CALM" => vec![Wanted::GoAway(Some(ENHANCE_YOUR_CALM))],
        // However it calls the error, the flood ends with the connection.
        text if text.starts_with("GOAWAY ENHANCE_YOUR_CALM after ") => vec![Wanted::GoAway(None)],
        _ => return Err(unsupported(&format!("the expectation `{text}`"))),
    })
}

impl Wanted {
    fn is_met_by(&self, events: &[Event], requests: &[String]) -> bool {
        events.iter().any(|event| match (self, event) {
            (Self::Status(wanted), Event::Answered { status, .. }) => status == wanted,
            (Self::Reset(wanted), Event::Reset { error, .. })
            | (Self::GoAway(wanted), Event::GoAway { error }) => {
                wanted.is_none_or(|wanted| wanted == *error)
            }
            (Self::Upstream(field), Event::Answered { .. }) => {
                let name = field.split(':').next().unwrap_or_default();
                let is_of_name =
                    |line: &&str| line.split(':').next().is_some_and(|word| word == name);
                requests.iter().any(|request| {
                    request.lines().filter(is_of_name).collect::<Vec<_>>() == [field.as_str()]
                })
            }
            _ => false,
        })
    }
}

fn unsupported(what: &str) -> Verdict {
    Verdict::Unsupported(format!("{what} is not known"))
}
