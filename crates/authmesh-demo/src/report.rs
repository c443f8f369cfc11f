//! What came of a run, as scripts read it.

use std::time::Duration;

use serde::Serialize;

/// What came of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The version of this form: 1.
    pub version: u32,
    /// How long the run was, in seconds.
    pub seconds: u32,
    /// The seed it can be repeated with.
    pub seed: u64,
    /// Whether the process took more than 60 % of two cores, so that times say little.
    pub saturated: bool,
    /// Where the door for people was.
    pub admin: String,
    /// The phases, in order.
    pub phases: Vec<PhaseReport>,
    /// What was still there after everything had been stopped.
    pub leaks: Leaks,
}

/// What came of one phase.
#[derive(Clone, Debug, Serialize)]
pub struct PhaseReport {
    /// Its name.
    pub name: &'static str,
    /// How long it was.
    pub seconds: f64,
    /// The side behind the mesh.
    pub mesh: SideReport,
    /// The side with the naive client.
    pub naive: SideReport,
}

/// What came of the requests that one side started in one phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct SideReport {
    /// Requests.
    pub requests: u64,
    /// Requests that got what they may have.
    pub ok: u64,
    /// Requests that got the no they deserve: wrong passwords.
    pub denied: u64,
    /// The rest: no answer, an error, or a no to somebody who may.
    pub failed: u64,
    /// Half of the requests took no longer, in milliseconds.
    pub p50_ms: f64,
    /// 99 of 100 requests took no longer, in milliseconds.
    pub p99_ms: f64,
    /// How often a request was sent to an instance, or tried to be.
    pub attempts: u64,
    /// Single-use tokens that the token service saw a second time.
    pub spent_twice: u64,
}

/// What was still there after everything had been stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Leaks {
    /// Permits of breakers and places in flight that were not given back.
    pub permits: u64,
    /// Connections that were open.
    pub connections: u64,
    /// Tasks that were running.
    pub tasks: u64,
}

impl SideReport {
    /// The share of requests that were answered as they should be, in percent; 100 of none.
    #[must_use]
    pub fn success_percent(&self) -> f64 {
        match self.requests {
            0 => 100.0,
            requests => 100.0 * ratio(requests - self.failed, requests),
        }
    }

    /// How often a request was sent, on average.
    #[must_use]
    pub fn attempts_per_request(&self) -> f64 {
        ratio(self.attempts, self.requests)
    }
}

impl Leaks {
    /// Whether nothing was left.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// Milliseconds with three digits behind the point.
pub(crate) fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1_000_000.0).round() / 1_000.0
}

fn ratio(part: u64, whole: u64) -> f64 {
    // Exact up to 2^53, far beyond what a run counts.
    part as f64 / whole.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denied_guess_is_no_failure() {
        let side = SideReport {
            requests: 200,
            ok: 150,
            denied: 49,
            failed: 1,
            attempts: 220,
            ..SideReport::default()
        };
        assert_eq!(side.success_percent(), 99.5);
        assert_eq!(side.attempts_per_request(), 1.1);
        assert_eq!(SideReport::default().success_percent(), 100.0);
    }
}
