//! Counts the results of one endpoint where they arrive, without a lock.

use crate::outcome::OutcomeKind;
use crate::sync::{AtomicU32, AtomicU64, Ordering};

/// The results of one endpoint since the last sweep, and its failures in a row.
#[derive(Debug, Default)]
pub struct Tally {
    /// `failures:32 | successes:32`
    results: AtomicU64,
    denied: AtomicU32,
    run: AtomicU32,
}

/// The results of one endpoint between two sweeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interval {
    /// What succeeded; denials among it, no more of them than of other successes, so that a flood
    /// of wrong passwords cannot make a failing endpoint look well.
    pub successes: u32,
    /// What failed.
    pub failures: u32,
}

impl Tally {
    /// Counts one result, and returns its failures in a row if that is `limit` or more. What says
    /// nothing of the endpoint (throttled, neutral) counts nowhere.
    pub fn record(&self, kind: OutcomeKind, limit: Option<u32>) -> Option<u32> {
        match kind {
            OutcomeKind::Failure => {
                self.results.fetch_add(1 << 32, Ordering::Relaxed);
                let run = self.run.fetch_add(1, Ordering::Relaxed).saturating_add(1);
                return limit.is_some_and(|limit| run >= limit).then_some(run);
            }
            OutcomeKind::Success => {
                self.results.fetch_add(1, Ordering::Relaxed);
            }
            OutcomeKind::Denied => {
                self.denied.fetch_add(1, Ordering::Relaxed);
            }
            OutcomeKind::Throttled | OutcomeKind::Neutral => return None,
        }
        // The line is written only if there is a run to end.
        if self.run.load(Ordering::Relaxed) != 0 {
            self.run.store(0, Ordering::Relaxed);
        }
        None
    }

    /// The failures since the last success or denial.
    #[must_use]
    pub fn run(&self) -> u32 {
        self.run.load(Ordering::Relaxed)
    }

    /// Ends the interval: its results, and counting starts anew.
    #[must_use]
    pub fn take(&self) -> Interval {
        let results = self.results.swap(0, Ordering::Relaxed);
        let denied = self.denied.swap(0, Ordering::Relaxed);
        let (failures, successes) = ((results >> 32) as u32, results as u32);
        Interval { successes: successes.saturating_add(denied.min(successes)), failures }
    }

    /// Forgets the run: the endpoint is judged anew.
    pub(super) fn forget_run(&self) {
        self.run.store(0, Ordering::Relaxed);
    }
}

impl Interval {
    /// All results.
    #[must_use]
    pub const fn total(self) -> u64 {
        self.successes as u64 + self.failures as u64
    }

    /// The share that succeeded; 1 of nothing.
    #[must_use]
    pub fn success_rate(self) -> f64 {
        match self.total() {
            0 => 1.0,
            total => f64::from(self.successes) / total as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::OutcomeKind::{Denied, Failure, Neutral, Success, Throttled};
    use super::*;

    #[test]
    fn denials_end_a_run_and_count_only_as_often_as_successes() {
        let tally = Tally::default();
        for kind in [Failure, Failure, Denied, Denied, Denied, Success, Throttled, Neutral] {
            assert_eq!(tally.record(kind, Some(3)), None);
        }
        assert_eq!(tally.run(), 0);
        assert_eq!(tally.take(), Interval { successes: 2, failures: 2 });
        assert_eq!(tally.take(), Interval::default());
    }

    #[test]
    fn the_limit_is_reached_at_itself_and_stays_reached() {
        let tally = Tally::default();
        let runs: [Option<u32>; 4] = core::array::from_fn(|_| tally.record(Failure, Some(2)));
        assert_eq!(runs, [None, Some(2), Some(3), Some(4)]);
        assert_eq!(tally.record(Failure, None), None);
    }
}
