//! What an operator tells a breaker at the door.

use std::time::Duration;

use authmesh::Mesh;
use authmesh::circuit_breaker::Command;
use authmesh::status::BreakerKey;
use http::StatusCode;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::json;

use super::entry::Visitor;
use super::report::breakers;
use crate::doors::answer::{Answer, error, json as answer_json, not_found};

/// A command as it is sent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    command: Word,
    why: String,
    for_ms: Option<u64>,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Word {
    ForceOpen,
    Disable,
    Shadow,
    Reset,
}

/// The largest body of a command, in bytes.
const MOST_BODY_BYTES: usize = 4_096;

/// How long the body may take.
const BODY_LIMIT: Duration = Duration::from_secs(5);

/// The longest reason, in bytes.
const MOST_WHY_BYTES: usize = 500;

/// How long a breaker is held by hand when nothing is said: whoever forgets it has forgotten it
/// for an hour.
const HELD_FOR: Duration = Duration::from_secs(60 * 60);

/// The longest that a breaker is held by hand.
const LONGEST_HELD: Duration = Duration::from_secs(7 * 24 * 60 * 60);

const WANTED: &str = "wanted: {\"command\": \"force_open\", \"disable\", \"shadow\" or \"reset\", \
                      \"why\": \"…\", \"for_ms\": N}";

/// Reads a command and gives it to the breaker of `key`.
pub(crate) async fn command(mesh: &Mesh, visitor: Visitor, key: &str, body: Incoming) -> Answer {
    let refused = |why: &str| error(StatusCode::BAD_REQUEST, "bad_request", why);
    let key = match key.parse::<BreakerKey>() {
        Ok(key) => key,
        Err(fault) => return refused(&fault.to_string()),
    };
    let body = Limited::new(body, MOST_BODY_BYTES).collect();
    let Ok(Ok(body)) = tokio::time::timeout(BODY_LIMIT, body).await else {
        return refused("the body is too long or did not come in time");
    };
    let Ok(told) = serde_json::from_slice::<Told>(&body.to_bytes()) else { return refused(WANTED) };
    let command = match lawful(&told) {
        Ok(command) => command,
        Err(fault) => return refused(fault),
    };
    match mesh.command_breaker(&key, command, &visitor.to_string(), told.why.trim()) {
        Ok(()) => {
            let (status, key) = (mesh.status(), key.to_string());
            let report = breakers(&status).into_iter().find(|report| report.is(&key));
            answer_json(StatusCode::OK, &json!({ "ok": true, "breaker": report }))
        }
        Err(unknown) => not_found(&unknown.to_string()),
    }
}

fn lawful(told: &Told) -> Result<Command, &'static str> {
    let why = told.why.trim();
    if why.is_empty() || why.len() > MOST_WHY_BYTES || why.chars().any(char::is_control) {
        return Err("`why` is a line of at most 500 bytes, and not empty");
    }
    let lasts = match (told.command, told.for_ms) {
        (Word::Reset, Some(_)) => return Err("a reset is done at once: leave `for_ms` out"),
        (_, None) => HELD_FOR,
        (_, Some(millis)) => Duration::from_millis(millis),
    };
    if lasts.is_zero() || lasts > LONGEST_HELD {
        return Err("`for_ms` is more than 0 and at most 7 days");
    }
    Ok(match told.command {
        Word::ForceOpen => Command::ForceOpen(Some(lasts)),
        Word::Disable => Command::Disable(Some(lasts)),
        Word::Shadow => Command::Shadow(Some(lasts)),
        Word::Reset => Command::Close,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_says_why_and_ends_by_itself() {
        let read = |text: &str| {
            let told: Told = serde_json::from_str(text).map_err(|_| "form")?;
            lawful(&told)
        };
        let hour = Some(Duration::from_secs(3_600));
        assert_eq!(read(r#"{"command":"force_open","why":"drill"}"#), Ok(Command::ForceOpen(hour)));
        let second = Some(Duration::from_secs(1));
        let text = r#"{"command":"shadow","why":" trial ","for_ms":1000}"#;
        assert_eq!(read(text), Ok(Command::Shadow(second)));
        assert_eq!(read(r#"{"command":"reset","why":"mended"}"#), Ok(Command::Close));
        for faulty in [
            r#"{"command":"open","why":"x"}"#,
            r#"{"command":"disable"}"#,
            r#"{"command":"disable","why":"  "}"#,
            r#"{"command":"disable","why":"a\nb"}"#,
            r#"{"command":"disable","why":"x","for_ms":0}"#,
            r#"{"command":"disable","why":"x","for_ms":604800001}"#,
            r#"{"command":"reset","why":"x","for_ms":1}"#,
            r#"{"command":"disable","why":"x","until":"never"}"#,
        ] {
            assert!(read(faulty).is_err(), "{faulty}");
        }
    }
}
