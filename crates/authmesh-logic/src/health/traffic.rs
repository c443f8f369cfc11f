//! What real traffic says of an instance, so that a busy one needs no checks.

use super::{CheckFailure, CheckResult, Passive};
use crate::Moment;
use crate::outcome::OutcomeKind;
use crate::sync::{AtomicU64, Ordering};

/// A cell that the request lane writes and the checker reads.
///
/// A success costs two relaxed loads, and one relaxed store at most once a millisecond. All orders
/// are relaxed: each number means something alone, and the checker looks again at its next turn.
#[derive(Debug)]
pub struct Traffic {
    /// Milliseconds to the last success, plus one; 0 is never.
    last_success: AtomicU64,
    failures_in_a_row: AtomicU64,
}

impl Traffic {
    /// A cell in which nothing was recorded.
    #[must_use]
    pub fn new() -> Self {
        Self { last_success: AtomicU64::new(0), failures_in_a_row: AtomicU64::new(0) }
    }

    /// Takes in how an attempt ended at `now`. An answer of no is a success: it proves that the
    /// instance does its work. Throttled and neutral outcomes say nothing of its health.
    pub fn record(&self, outcome: OutcomeKind, now: Moment) {
        match outcome {
            OutcomeKind::Success | OutcomeKind::Denied => {
                let stamp = now.as_millis() + 1;
                if self.last_success.load(Ordering::Relaxed) < stamp {
                    self.last_success.store(stamp, Ordering::Relaxed);
                }
                if self.failures_in_a_row.load(Ordering::Relaxed) > 0 {
                    self.failures_in_a_row.store(0, Ordering::Relaxed);
                }
            }
            OutcomeKind::Failure => {
                self.failures_in_a_row.fetch_add(1, Ordering::Relaxed);
            }
            OutcomeKind::Throttled | OutcomeKind::Neutral => {}
        }
    }

    /// What traffic since `since` (the beginning of the last check) says in place of a check;
    /// `None` if it says nothing, and a check is needed.
    ///
    /// Enough failures in a row are a failing check, once: they are taken out, and as many again
    /// are needed for the next. Otherwise a success, if no failure came after it, is a passing
    /// one. It is known to the millisecond; one in the same millisecond as `since` does not count.
    pub fn take_evidence(&self, passive: Passive, since: Moment) -> Option<CheckResult> {
        let Passive::On { failures } = passive else { return None };
        let in_a_row = self.failures_in_a_row.load(Ordering::Relaxed);
        if in_a_row >= u64::from(failures.max(1)) {
            self.failures_in_a_row.store(0, Ordering::Relaxed);
            return Some(CheckResult::Fail(CheckFailure::Traffic));
        }
        let succeeded = self.last_success.load(Ordering::Relaxed) > since.as_millis() + 1;
        (succeeded && in_a_row == 0).then_some(CheckResult::Pass)
    }

    /// Failures since the last success, or since they were last taken as evidence.
    #[must_use]
    pub fn failures_in_a_row(&self) -> u64 {
        self.failures_in_a_row.load(Ordering::Relaxed)
    }
}

impl Default for Traffic {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::CheckResult::{Fail, Pass};
    use super::OutcomeKind::{Denied, Failure, Neutral, Success, Throttled};
    use super::*;

    const ON: Passive = Passive::On { failures: 3 };
    const FAILED: CheckResult = Fail(CheckFailure::Traffic);

    #[test]
    fn evidence_follows_outcomes_row_by_row() {
        // outcomes since the last check, what they say
        let table: [(&[OutcomeKind], Option<CheckResult>); 10] = [
            (&[], None),
            (&[Success], Some(Pass)),
            (&[Denied], Some(Pass)),
            (&[Throttled, Neutral], None),
            (&[Failure, Failure], None),
            (&[Failure, Failure, Failure], Some(FAILED)),
            (&[Success, Failure, Failure, Failure], Some(FAILED)),
            (&[Failure, Failure, Success, Failure], None),
            (&[Failure, Failure, Denied], Some(Pass)),
            (&[Failure, Neutral, Failure, Throttled, Failure], Some(FAILED)),
        ];
        for (outcomes, expected) in table {
            let traffic = Traffic::new();
            for &outcome in outcomes {
                traffic.record(outcome, Moment::from_millis(11));
            }
            let evidence = traffic.take_evidence(ON, Moment::from_millis(10));
            assert_eq!(evidence, expected, "{outcomes:?}");
        }
    }

    #[test]
    fn failures_are_evidence_once() {
        let traffic = Traffic::new();
        for _ in 0..5 {
            traffic.record(Failure, Moment::START);
        }
        assert_eq!(traffic.failures_in_a_row(), 5);
        assert_eq!(traffic.take_evidence(ON, Moment::START), Some(FAILED));
        assert_eq!(traffic.take_evidence(ON, Moment::START), None);
    }

    #[test]
    fn a_success_before_the_last_check_is_no_evidence() {
        let traffic = Traffic::new();
        traffic.record(Success, Moment::from_millis(10));
        assert_eq!(traffic.take_evidence(ON, Moment::from_millis(10)), None);
        assert_eq!(traffic.take_evidence(ON, Moment::from_millis(9)), Some(Pass));
        // A worker whose reading of the clock is older does not take it back.
        traffic.record(Success, Moment::from_millis(8));
        assert_eq!(traffic.take_evidence(ON, Moment::from_millis(9)), Some(Pass));
    }

    #[test]
    fn nothing_counts_where_traffic_is_off() {
        let traffic = Traffic::new();
        traffic.record(Success, Moment::from_millis(10));
        assert_eq!(traffic.take_evidence(Passive::Off, Moment::START), None);
    }
}
