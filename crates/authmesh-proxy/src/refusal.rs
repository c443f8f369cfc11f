//! Answers of our own: constant bodies, a reason in a field, and no word about the inside.

use std::error::Error as _;
use std::time::Duration;

use authmesh::worker::{BodyFault, spread_seconds};
use authmesh::{Error, ErrorKind};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};

use crate::request_id::REQUEST_ID;

/// The field that says why an answer is our own.
pub(crate) const REASON: HeaderName = HeaderName::from_static("x-authmesh-reason");

/// What a caller is asked to prove itself with when nothing else is said. A challenge must be made
/// (RFC 9110 §15.5.2), and none is registered for certificates.
const CHALLENGE: &str = "Certificate";

/// Why we answer instead of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) reason: &'static str,
    pub(crate) retry_after: Option<Duration>,
    /// Whether the connection is of no more use.
    pub(crate) close: bool,
    /// What a caller that is not known is asked to prove itself with.
    pub(crate) challenge: &'static str,
}

impl Refusal {
    pub(crate) const fn new(status: StatusCode, reason: &'static str) -> Self {
        Self { status, reason, retry_after: None, close: false, challenge: CHALLENGE }
    }

    pub(crate) const fn closing(self) -> Self {
        Self { close: true, ..self }
    }

    /// The answer for a request that got none from its service.
    pub(crate) fn of(error: &Error) -> Self {
        if error.kind() == ErrorKind::RequestBody {
            return Self::of_body(error);
        }
        let status = error.kind().status();
        let retry_after = (status == StatusCode::SERVICE_UNAVAILABLE)
            .then(|| error.retry_after().unwrap_or(Duration::from_secs(1)));
        Self { retry_after, ..Self::new(status, error.kind().reason()) }
    }

    /// The answer for a request whose own body failed. What follows of that body is not read, so
    /// the connection ends.
    fn of_body(error: &Error) -> Self {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = error.source();
        while let Some(error) = cause {
            match error.downcast_ref::<BodyFault>() {
                Some(BodyFault::TooLarge) => {
                    return Self::new(StatusCode::PAYLOAD_TOO_LARGE, "limit").closing();
                }
                Some(BodyFault::Stalled) => {
                    return Self::new(StatusCode::REQUEST_TIMEOUT, "limit").closing();
                }
                None => cause = error.source(),
            }
        }
        Self::new(StatusCode::BAD_REQUEST, "bad_request").closing()
    }

    /// The answer itself. The request's identifier is the only thing in it that varies.
    pub(crate) fn answer(self, request_id: &HeaderValue) -> Response<Bytes> {
        let word = match self.status {
            StatusCode::UNAUTHORIZED => "unauthorized",
            StatusCode::FORBIDDEN => "forbidden",
            status if status.is_client_error() => "bad_request",
            _ => "unavailable",
        };
        let id = request_id.to_str().unwrap_or_default();
        let body = format!(r#"{{"error":"{word}","request_id":"{id}"}}"#);
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(REASON, HeaderValue::from_static(self.reason));
        headers.insert(REQUEST_ID, request_id.clone());
        if let Some(wait) = self.retry_after {
            headers.insert(header::RETRY_AFTER, spread_seconds(wait).into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static(self.challenge);
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if self.close {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_is_constant_and_the_reason_stands_in_a_field() {
        let refusal = Refusal {
            retry_after: Some(Duration::from_millis(1_500)),
            ..Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "breaker_open")
        };
        let answer = refusal.answer(&HeaderValue::from_static("00ff"));
        assert_eq!(answer.headers()[REASON], "breaker_open");
        let wait: u64 = answer.headers()[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
        assert!((2..=4).contains(&wait), "2 s and at most as much again, not {wait}");
        assert_eq!(answer.into_body(), r#"{"error":"unavailable","request_id":"00ff"}"#);
    }
}
