//! Reads what an answer says of the service that gave it: in its head, in its body, or at its end.

use std::time::{Duration, UNIX_EPOCH};

use authmesh_logic::classify::{self, OAuthBody};
use authmesh_logic::config::Classifier;
use authmesh_logic::outcome::OutcomeKind;
use http::{HeaderMap, header};

use crate::clock::Clock;
use crate::error::{BoxError, REASON};
use crate::message::Answer;

/// The lowest status of a refusal. What is below says all by its status, and its fields are not
/// looked through.
pub(crate) const FIRST_REFUSAL: u16 = 400;

const RETRY_AFTER: &str = "retry-after";
const CONTENT_TYPE: &str = "content-type";

/// Where an answer says what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// In its head: this.
    Now(OutcomeKind),
    /// In the front of its body.
    InBody,
    /// In the fields behind its body.
    AtEnd,
}

/// What the head of an answer says. A refusal by another hop of the mesh says what that hop says.
pub(crate) fn head(classifier: Classifier, answer: &impl Answer, is_callers: bool) -> Said {
    let status = answer.status();
    if status < FIRST_REFUSAL && classifier != Classifier::Grpc {
        return Said::Now(classify::http(status, false));
    }
    if let Some(reason) = answer.field(REASON.as_str()) {
        return Said::Now(classify::authmesh_reason(str::from_utf8(reason).unwrap_or_default()));
    }
    let pauses = answer.field(RETRY_AFTER).is_some();
    match classifier {
        Classifier::Http => Said::Now(classify::http(status, pauses)),
        Classifier::OAuth2 => {
            let is_plain = answer.field(header::CONTENT_ENCODING.as_str()).is_none();
            if is_plain && classify::is_judged_by_body(status, answer.field(CONTENT_TYPE)) {
                return Said::InBody;
            }
            Said::Now(classify::oauth2(status, pauses, OAuthBody::Silent))
        }
        Classifier::Grpc => {
            let found = answer.field(classify::GRPC_STATUS);
            if status == 200 && found.is_none() && is_grpc(answer) {
                return Said::AtEnd;
            }
            Said::Now(classify::grpc(status, pauses, found, is_callers))
        }
    }
}

/// What the body of a refusal says. It is read ahead, and delivered all the same.
pub(crate) async fn body(answer: &mut impl Answer) -> Result<OutcomeKind, BoxError> {
    let status = answer.status();
    let pauses = answer.field(RETRY_AFTER).is_some();
    let whole = answer.read_ahead(classify::MOST_JUDGED_BYTES).await?;
    let Some(bytes) = whole.filter(|bytes| !bytes.trim_ascii().is_empty()) else {
        return Ok(classify::oauth2(status, pauses, OAuthBody::Silent));
    };
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(&bytes) else {
        return Ok(classify::oauth2(status, pauses, OAuthBody::Malformed));
    };
    let code = value.get("error").and_then(serde_json::Value::as_str);
    Ok(classify::oauth2(status, pauses, code.map_or(OAuthBody::Silent, OAuthBody::Error)))
}

/// What the fields behind the body say.
pub(crate) fn end(trailers: Option<&HeaderMap>, is_callers: bool) -> OutcomeKind {
    let found = trailers.and_then(|trailers| trailers.get(classify::GRPC_STATUS));
    classify::grpc(200, false, found.map(|value| value.as_bytes()), is_callers)
}

/// How long a throttled answer asks to be left alone, in its head or behind its body.
pub(crate) fn pause<'a>(field: impl Fn(&str) -> Option<&'a [u8]>) -> Option<Duration> {
    if let Some(pushback) = field(classify::GRPC_PUSHBACK) {
        return classify::grpc_pushback(pushback);
    }
    let field = field(RETRY_AFTER)?;
    let now = Clock.time_of_day().duration_since(UNIX_EPOCH).unwrap_or_default();
    classify::retry_after(field, now.as_secs())
}

/// Whether the body of an answer may go on for hours.
pub(crate) fn is_stream(answer: &impl Answer) -> bool {
    let content_type = answer.field(CONTENT_TYPE);
    content_type.is_some_and(|value| value.starts_with(b"text/event-stream")) || is_grpc(answer)
}

/// Whether an answer's body is of gRPC messages.
fn is_grpc(answer: &impl Answer) -> bool {
    let content_type = answer.field(CONTENT_TYPE);
    content_type.is_some_and(|value| value.starts_with(b"application/grpc"))
}
