//! Reads what an answer says of the service that gave it: in its head, in its body, or at its end.

use std::time::{Duration, UNIX_EPOCH};

use authmesh_logic::classify::{self, OAuthBody};
use authmesh_logic::config::Classifier;
use authmesh_logic::outcome::OutcomeKind;
use http::{HeaderMap, Response, header};

use crate::answer_body::AnswerBody;
use crate::clock::Clock;
use crate::error::REASON;

/// The lowest status of a refusal. What is below says all by its status, and its fields are not
/// looked through.
pub(crate) const FIRST_REFUSAL: u16 = 400;

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
pub(crate) fn head<B>(classifier: Classifier, answer: &Response<B>, is_callers: bool) -> Said {
    let (headers, status) = (answer.headers(), answer.status().as_u16());
    if status < FIRST_REFUSAL && classifier != Classifier::Grpc {
        return Said::Now(classify::http(status, false));
    }
    if let Some(reason) = headers.get(REASON) {
        return Said::Now(classify::authmesh_reason(reason.to_str().unwrap_or_default()));
    }
    let pauses = headers.contains_key(header::RETRY_AFTER);
    match classifier {
        Classifier::Http => Said::Now(classify::http(status, pauses)),
        Classifier::OAuth2 => {
            let content_type = headers.get(header::CONTENT_TYPE).map(|value| value.as_bytes());
            let is_plain = !headers.contains_key(header::CONTENT_ENCODING);
            if is_plain && classify::is_judged_by_body(status, content_type) {
                return Said::InBody;
            }
            Said::Now(classify::oauth2(status, pauses, OAuthBody::Silent))
        }
        Classifier::Grpc => {
            let found = headers.get(classify::GRPC_STATUS).map(|value| value.as_bytes());
            if status == 200 && found.is_none() && is_grpc(headers) {
                return Said::AtEnd;
            }
            Said::Now(classify::grpc(status, pauses, found, is_callers))
        }
    }
}

/// What the body of a refusal says. It is read ahead, and delivered all the same.
pub(crate) async fn body(answer: &mut Response<AnswerBody>) -> Result<OutcomeKind, hyper::Error> {
    let status = answer.status().as_u16();
    let pauses = answer.headers().contains_key(header::RETRY_AFTER);
    let whole = answer.body_mut().read_ahead(classify::MOST_JUDGED_BYTES).await?;
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
pub(crate) fn pause(fields: &HeaderMap) -> Option<Duration> {
    if let Some(pushback) = fields.get(classify::GRPC_PUSHBACK) {
        return classify::grpc_pushback(pushback.as_bytes());
    }
    let field = fields.get(header::RETRY_AFTER)?;
    let now = Clock.time_of_day().duration_since(UNIX_EPOCH).unwrap_or_default();
    classify::retry_after(field.as_bytes(), now.as_secs())
}

/// Whether an answer's body is of gRPC messages.
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE);
    content_type.is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}
