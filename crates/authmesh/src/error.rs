//! The one error of the request lane: opaque, one pointer wide.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use authmesh_logic::discovery::Address;

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
    /// The caller's own body failed or was larger than allowed.
    RequestBody,
}

impl ErrorKind {
    /// Every kind, in the order of their declaration.
    pub const ALL: [Self; 8] = [
        Self::NoEndpoint,
        Self::BreakerOpen,
        Self::TrialBusy,
        Self::Deadline,
        Self::StaleView,
        Self::RetryBudget,
        Self::UpstreamReset,
        Self::RequestBody,
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
            Self::RequestBody => "limit",
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
            Self::RequestBody => "the request's body failed or is too large",
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
