//! Whether the evidence trips a breaker, in whole numbers.

use core::time::Duration;

use super::policy::Policy;
use super::state::{Cause, Counts};
use crate::Ratio;

impl Policy {
    /// Which trip this evidence reaches, if any. Thresholds are reached at equality; a breaker
    /// with neither a failure nor a slow call in its evidence never trips.
    #[must_use]
    pub fn tripped_by(&self, counts: &Counts) -> Option<Cause> {
        if self.runs_out(counts.consecutive_failures) {
            return Some(Cause::ConsecutiveFailures);
        }
        let most = self.failures_in_window;
        if most.is_some_and(|most| counts.failures > 0 && counts.failures >= u64::from(most)) {
            return Some(Cause::FailuresInWindow);
        }
        if self.failure_rate.is_some_and(|rate| {
            counts.failures > 0
                && counts.total >= u64::from(rate.minimum_calls)
                && rate.threshold.is_reached_by(counts.failures, counts.total)
        }) {
            return Some(Cause::FailureRate);
        }
        if self.slow_rate.is_some_and(|rate| {
            counts.slow > 0
                && counts.total >= u64::from(rate.minimum_calls)
                && rate.threshold.is_reached_by(counts.slow, counts.total)
        }) {
            return Some(Cause::SlowRate);
        }
        None
    }

    /// Whether a call that took this long is slow: strictly longer than the slow trip's limit.
    #[must_use]
    pub fn is_slow(&self, took: Duration) -> bool {
        self.slow_rate.is_some_and(|rate| took > rate.slower_than)
    }

    /// Whether this many failures in a row trip.
    #[inline]
    pub(super) fn runs_out(&self, run: u32) -> bool {
        self.consecutive_failures.is_some_and(|most| run > 0 && run >= most)
    }

    /// How many more failures and slow calls these counts can take before a trip of the window
    /// could be reached, however many good results come beside them.
    pub(super) fn slack(&self, counts: &Counts) -> u64 {
        let share = |threshold: Ratio, minimum: u32, bad: u64| {
            threshold.of(counts.total.max(u64::from(minimum))).saturating_sub(bad)
        };
        let failures =
            self.failures_in_window.map(|most| u64::from(most).saturating_sub(counts.failures));
        let failure_rate = self
            .failure_rate
            .map(|rate| share(rate.threshold, rate.minimum_calls, counts.failures));
        let slow_rate =
            self.slow_rate.map(|rate| share(rate.threshold, rate.minimum_calls, counts.slow));
        [failures, failure_rate, slow_rate].into_iter().flatten().min().unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::circuit_breaker::{RateTrip, SlowTrip};

    fn counts(total: u64, failures: u64, slow: u64, run: u32) -> Counts {
        Counts { total, failures, slow, denied: 0, consecutive_failures: run }
    }

    #[test]
    fn each_trip_is_reached_at_equality_and_not_before() {
        let none = Policy {
            consecutive_failures: None,
            failures_in_window: None,
            failure_rate: None,
            slow_rate: None,
            ..Policy::standard()
        };
        let run = Policy { consecutive_failures: Some(3), ..none.clone() };
        let some = Policy { failures_in_window: Some(4), ..none.clone() };
        let threshold = Ratio::percent(50);
        let rate = RateTrip { threshold, minimum_calls: 200 };
        let rate = Policy { failure_rate: Some(rate), ..none.clone() };
        let slower_than = Duration::from_secs(1);
        let slow = SlowTrip { slower_than, threshold, minimum_calls: 2 };
        let slow = Policy { slow_rate: Some(slow), ..none.clone() };
        let table = [
            (&none, counts(9, 9, 9, 9), None),
            (&run, counts(9, 9, 9, 2), None),
            (&run, counts(9, 9, 9, 3), Some(Cause::ConsecutiveFailures)),
            (&some, counts(9, 3, 9, 9), None),
            (&some, counts(9, 4, 9, 9), Some(Cause::FailuresInWindow)),
            (&rate, counts(199, 199, 0, 9), None),
            (&rate, counts(200, 99, 200, 9), None),
            (&rate, counts(201, 100, 0, 9), None),
            (&rate, counts(202, 101, 0, 9), Some(Cause::FailureRate)),
            (&slow, counts(2, 0, 1, 0), Some(Cause::SlowRate)),
            (&slow, counts(3, 3, 1, 0), None),
        ];
        for (policy, counts, cause) in table {
            assert_eq!(policy.tripped_by(&counts), cause, "{counts:?}");
        }
        assert!(!slow.is_slow(slower_than) && slow.is_slow(slower_than + Duration::from_nanos(1)));
    }

    #[test]
    fn slack_is_what_can_come_before_a_trip_and_no_more() {
        let threshold = Ratio::percent(40);
        let rate = RateTrip { threshold, minimum_calls: 7 };
        let slow = SlowTrip { slower_than: Duration::ZERO, threshold, minimum_calls: 3 };
        let policy = Policy {
            consecutive_failures: None,
            failures_in_window: Some(9),
            failure_rate: Some(rate),
            slow_rate: Some(slow),
            ..Policy::standard()
        };
        for total in 0..30 {
            for (failures, slow) in (0..=total).flat_map(|bad| [(bad, 0), (0, bad), (bad, bad)]) {
                let now = counts(total, failures, slow, 0);
                let slack = policy.slack(&now);
                if policy.tripped_by(&now).is_some() {
                    assert_eq!(slack, 0, "{now:?}");
                }
                // Less than that trips nothing, whatever good comes with it.
                for (bad, good) in (0..slack).flat_map(|bad| (0..20).map(move |good| (bad, good))) {
                    let more = counts(total + bad + good, failures + bad, slow, 0);
                    assert_eq!(policy.tripped_by(&more), None, "{now:?} {more:?}");
                    let more = counts(total + bad + good, failures, slow + bad, 0);
                    assert_eq!(policy.tripped_by(&more), None, "{now:?} {more:?}");
                }
            }
        }
    }
}
