//! What a look at the network saw, endpoint by endpoint.

use std::time::Duration;

use authmesh_logic::config::{Problem, Protocol};
use serde::Serialize;

use super::endpoint::{Proved, Seen};
use super::judge;
use super::targets::Target;

/// What a look at the network saw.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Online {
    /// The endpoints that were looked at, in the order of the configuration.
    pub endpoints: Vec<EndpointSeen>,
    /// How many there was no time for.
    pub not_looked_at: usize,
    /// Whether all is well. That a certificate ends soon is told, and well.
    pub is_well: bool,
}

/// What was seen of one endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EndpointSeen {
    /// Its service.
    pub service: String,
    /// Where it is.
    pub address: String,
    /// Whether it takes connections.
    pub is_reached: bool,
    /// Who it proved to be, if it had to and did.
    pub identity: Option<String>,
    /// When the first of the certificates that it showed ends, in seconds since 1970.
    pub certificate_ends_at: Option<u64>,
    /// How long it still holds, in seconds.
    pub certificate_left_s: Option<u64>,
    /// In which protocol it was asked: `http1`, `http2`.
    pub protocol: &'static str,
    /// With which status code it answered.
    pub status: Option<u16>,
    /// By how many seconds its clock is ahead of the one here, if it told the time.
    pub clock_ahead_s: Option<i64>,
    /// The codes of what is wrong with it.
    pub problems: Vec<&'static str>,
}

impl Online {
    pub(super) fn of(
        looked: &[(Target, Seen)],
        judged: &[Vec<Problem>],
        problems: &[Problem],
        not_looked_at: usize,
        now: Duration,
    ) -> Self {
        let endpoints = looked.iter().zip(judged);
        let endpoints = endpoints
            .map(|((target, seen), problems)| EndpointSeen::of(target, seen, problems, now));
        Self {
            endpoints: endpoints.collect(),
            not_looked_at,
            is_well: !problems.iter().any(judge::is_no),
        }
    }

    /// How many endpoints took a connection.
    #[must_use]
    pub fn reached(&self) -> usize {
        self.endpoints.iter().filter(|endpoint| endpoint.is_reached).count()
    }
}

impl EndpointSeen {
    fn of(target: &Target, seen: &Seen, problems: &[Problem], now: Duration) -> Self {
        let proved = seen.proof.as_ref().and_then(|proof| proof.as_ref().ok());
        let ends = |proved: &Proved| proved.lifetimes.iter().map(|lifetime| lifetime.until).min();
        let end = proved.and_then(ends);
        let answer = seen.answer.as_ref().and_then(|answer| answer.as_ref().ok());
        Self {
            service: target.service.clone(),
            address: target.address.to_string(),
            is_reached: seen.unreached.is_none(),
            identity: proved.map(|proved| proved.id.clone()),
            certificate_ends_at: end.map(|end| end.as_secs()),
            certificate_left_s: end.map(|end| end.saturating_sub(now).as_secs()),
            protocol: match target.manner.protocol {
                Protocol::Http1 => "http1",
                Protocol::Http2 => "http2",
            },
            status: answer.map(|answer| answer.status),
            clock_ahead_s: answer.and_then(|answer| answer.ahead),
            problems: problems.iter().map(|problem| problem.code.text()).collect(),
        }
    }
}
