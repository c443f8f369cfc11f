//! The one error of the request lane: opaque, one pointer wide.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use authmesh_logic::discovery::Address;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};

use crate::luck::with_dice;

/// Why a request got no answer from the service it was for.
#[derive(Debug)]
pub struct Error(Box<Inner>);

/// What stopped a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The service has no endpoint that may take requests.
    NoEndpoint,
    /// A circuit breaker refuses.
    BreakerOpen,
    /// A half-open circuit breaker has all the trials it wants.
    TrialBusy,
    /// The time for the answer ran out.
    Deadline,
    /// What is known of the service is older than its operation accepts.
    StaleView,
    /// The attempt failed, and the service's retry budget is spent.
    RetryBudget,
    /// No connection was made, or it broke before the answer was whole.
    UpstreamReset,
    /// The endpoint did not prove to be who it must be, or this mesh has nothing to prove itself.
    IdentityMismatch,
    /// The caller's own body failed or was larger than allowed.
    RequestBody,
    /// The service carries no more, serves too little of what it is asked, or asked for a pause.
    Overloaded,
}

impl ErrorKind {
    /// Every kind, in the order of their declaration.
    pub const ALL: [Self; 10] = [
        Self::NoEndpoint,
        Self::BreakerOpen,
        Self::TrialBusy,
        Self::Deadline,
        Self::StaleView,
        Self::RetryBudget,
        Self::UpstreamReset,
        Self::IdentityMismatch,
        Self::RequestBody,
        Self::Overloaded,
    ];

    /// The word of `x-authmesh-reason`, metrics and logs.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NoEndpoint => "no_endpoint",
            Self::BreakerOpen => "breaker_open",
            Self::TrialBusy => "trial_busy",
            Self::Deadline => "deadline",
            Self::StaleView => "stale_view",
            Self::RetryBudget => "retry_budget",
            Self::UpstreamReset => "upstream_reset",
            Self::IdentityMismatch => "identity_mismatch",
            Self::RequestBody => "limit",
            Self::Overloaded => "overloaded",
        }
    }

    /// The status of the answer to a caller whose request ended so. Never 401 or 403, on which a
    /// client would throw its session away.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Deadline => StatusCode::GATEWAY_TIMEOUT,
            Self::UpstreamReset => StatusCode::BAD_GATEWAY,
            Self::RequestBody => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    const fn sentence(self) -> &'static str {
        match self {
            Self::NoEndpoint => "the service has no endpoint that may take requests",
            Self::BreakerOpen => "the circuit breaker is open",
            Self::TrialBusy => "the half-open circuit breaker has its trials in flight",
            Self::Deadline => "the answer did not come in time",
            Self::StaleView => "the view of the service's instances is too old",
            Self::RetryBudget => "the attempt failed and the retry budget is spent",
            Self::UpstreamReset => "the connection to the endpoint failed",
            Self::IdentityMismatch => "the endpoint and the mesh did not prove who they are",
            Self::RequestBody => "the request's body failed or is too large",
            Self::Overloaded => "the service is overloaded",
        }
    }
}

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    endpoint: Option<Address>,
    retry_after: Option<Duration>,
    source: Option<BoxError>,
}

/// The field by which a hop of the mesh says that an answer is its own refusal.
pub(crate) const REASON: HeaderName = HeaderName::from_static("x-authmesh-reason");

pub(crate) type BoxError = Box<dyn StdError + Send + Sync>;

impl Error {
    /// What stopped the request.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The endpoint of the last attempt, if one was made.
    #[must_use]
    pub fn endpoint(&self) -> Option<&Address> {
        self.0.endpoint.as_ref()
    }

    /// How long to wait before asking again is worth it.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The answer for whoever sent the request that ended so: status, `x-authmesh-reason`,
    /// `Retry-After`, and a body that says nothing of the inside.
    #[must_use]
    pub fn refusal(&self) -> Response<String> {
        let status = self.kind().status();
        let word = if status.is_client_error() { "bad_request" } else { "unavailable" };
        let mut response = Response::new(format!(r#"{{"error":"{word}"}}"#));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(REASON, HeaderValue::from_static(self.kind().reason()));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            let wait = self.retry_after().unwrap_or(Duration::from_secs(1));
            headers.insert(header::RETRY_AFTER, spread_seconds(wait).into());
        }
        response
    }

    pub(crate) fn new(kind: ErrorKind) -> Self {
        Self(Box::new(Inner { kind, endpoint: None, retry_after: None, source: None }))
    }

    pub(crate) fn at(mut self, endpoint: &Address) -> Self {
        self.0.endpoint = Some(endpoint.clone());
        self
    }

    pub(crate) fn after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    pub(crate) fn because(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.kind.sentence())?;
        if let Some(endpoint) = &self.0.endpoint {
            write!(formatter, " (endpoint {endpoint})")?;
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

/// `base` in whole seconds plus a random part as large again, for `Retry-After`: so that refused
/// clients do not come back in step.
#[must_use]
pub fn spread_seconds(base: Duration) -> u64 {
    let base = base.as_millis().div_ceil(1_000).clamp(1, 3_600) as u64;
    base + with_dice(|dice| dice.below(base + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_never_looks_like_the_answer_of_an_authentication_service() {
        for kind in ErrorKind::ALL {
            let refusal = Error::new(kind).after(Duration::from_millis(1_500)).refusal();
            assert!(![401, 403].contains(&refusal.status().as_u16()), "{kind:?}");
            assert_eq!(refusal.headers()[REASON], kind.reason());
            let wait = refusal.headers().get(header::RETRY_AFTER);
            let is_for_now = refusal.status() == StatusCode::SERVICE_UNAVAILABLE;
            assert_eq!(wait.is_some(), is_for_now, "{kind:?}");
            if let Some(wait) = wait {
                let wait: u64 = wait.to_str().unwrap().parse().unwrap();
                assert!((2..=4).contains(&wait), "2 s and at most as much again, not {wait}");
            }
        }
    }
}
