//! What a door answers: JSON or text, its errors all of one form.

use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use serde::Serialize;

/// An answer of a door.
pub(crate) type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

/// A whole answer of one media type. Nothing a door says may be kept by a cache.
pub(crate) fn whole(status: StatusCode, media_type: &'static str, body: String) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body)).boxed_unsync());
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}

/// An answer in JSON.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Answer {
    let (status, body) = match serde_json::to_string(value) {
        Ok(body) => (status, body),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, r#"{"error":"internal"}"#.to_owned()),
    };
    whole(status, "application/json", body + "\n")
}

/// An error: `{"error":"a_word","message":"A sentence."}`.
pub(crate) fn error(status: StatusCode, word: &'static str, message: &str) -> Answer {
    json(status, &serde_json::json!({ "error": word, "message": message }))
}

/// The answer of a mesh that has too much to do already.
pub(crate) fn busy() -> Answer {
    let message = "the mesh is busy with what was asked before";
    error(StatusCode::SERVICE_UNAVAILABLE, "busy", message)
}

/// The answer where nothing is.
pub(crate) fn not_found(message: &str) -> Answer {
    error(StatusCode::NOT_FOUND, "not_found", message)
}

/// The answer to a method that is not understood here; `allowed` are those that are.
pub(crate) fn wrong_method(allowed: &'static str) -> Answer {
    let mut answer =
        error(StatusCode::METHOD_NOT_ALLOWED, "wrong_method", "another method is understood here");
    answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
    answer
}
