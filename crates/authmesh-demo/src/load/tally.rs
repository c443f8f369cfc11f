//! What came of the requests of one side, phase by phase.

use std::time::Duration;

use super::errand::Outcome;
use crate::phase::Phase;

/// What came of the requests of one side in one phase.
#[derive(Clone, Debug, Default)]
pub(crate) struct Count {
    pub(crate) requests: u64,
    pub(crate) ok: u64,
    pub(crate) denied: u64,
    pub(crate) failed: u64,
    pub(crate) attempts: u64,
    /// How long each answered request took, in no order.
    latencies: Vec<Duration>,
}

/// What came of the requests of one side.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    phases: [Count; Phase::ALL.len()],
}

impl Tally {
    pub(crate) fn of(&self, phase: Phase) -> &Count {
        &self.phases[phase as usize]
    }

    /// Counts a request by the phase it started in.
    pub(crate) fn count(&mut self, phase: Phase, outcome: Outcome, attempts: u64, took: Duration) {
        let count = &mut self.phases[phase as usize];
        count.requests += 1;
        count.attempts += attempts;
        *match outcome {
            Outcome::Ok => &mut count.ok,
            Outcome::Denied => &mut count.denied,
            Outcome::Failed => &mut count.failed,
        } += 1;
        count.latencies.push(took);
    }
}

impl Count {
    /// The time that this share of the requests, in percent, did not exceed.
    pub(crate) fn latency(&self, percent: usize) -> Duration {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        percentile(&sorted, percent)
    }
}

/// The smallest of these sorted times that `percent` of them do not exceed; zero if there is none.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let sorted: Vec<_> = (1..=200).map(Duration::from_millis).collect();
        assert_eq!(percentile(&sorted, 50), Duration::from_millis(100));
        assert_eq!(percentile(&sorted, 99), Duration::from_millis(198));
        assert_eq!(percentile(&sorted[..1], 99), Duration::from_millis(1));
        assert_eq!(percentile(&[], 99), Duration::ZERO);
    }

    #[test]
    fn requests_are_counted_in_their_phase() {
        let mut tally = Tally::default();
        tally.count(Phase::Dead, Outcome::Ok, 2, Duration::from_millis(3));
        tally.count(Phase::Dead, Outcome::Failed, 4, Duration::from_millis(5));
        tally.count(Phase::Slow, Outcome::Denied, 1, Duration::from_millis(1));
        let dead = tally.of(Phase::Dead);
        let counts = (dead.requests, dead.ok, dead.denied, dead.failed, dead.attempts);
        assert_eq!(counts, (2, 1, 0, 1, 6));
        assert_eq!(dead.latency(50), Duration::from_millis(3));
        assert_eq!(tally.of(Phase::Slow).denied, 1);
        assert_eq!(tally.of(Phase::Healthy).requests, 0);
    }
}
