//! Turns the results of checks into a verdict: rise and fall, in one counter.

use super::{Change, CheckResult, Policy, Verdict, Why};
use crate::Moment;

/// What checks conclude of one instance.
///
/// One counter holds the whole hysteresis (HAProxy's, `src/check.c`). It runs from 0 to
/// `rise + fall - 1`, and the instance is up from `rise` on:
///
/// | result | counter | verdict |
/// |---|---|---|
/// | fail, and it stays at `rise` or more | one less | unchanged |
/// | fail, and it falls below `rise` | 0 | unhealthy |
/// | fail, in a way that is believed at once (`eject_on_first`) | 0 | unhealthy |
/// | pass, and it stays below `rise` | one more | unchanged |
/// | pass, and it reaches `rise` | `rise + fall - 1` | healthy |
///
/// So results must be in a row to change a verdict: one pass on the way down restores it, one
/// failure on the way up starts it again. An unknown instance stands at `rise`: its first result
/// decides, and a mesh that starts knows its dead instances after one check each.
#[derive(Clone, Debug)]
pub struct Tracker {
    verdict: Verdict,
    why: Why,
    since: Moment,
    counter: u32,
    last: Option<CheckResult>,
}

impl Tracker {
    /// An instance of which nothing is known yet.
    #[must_use]
    pub const fn unknown(policy: &Policy, now: Moment) -> Self {
        Self {
            verdict: Verdict::Unknown,
            why: Why::NotYetChecked,
            since: now,
            counter: rise(policy),
            last: None,
        }
    }

    /// An instance declared to be as good as checked: healthy and far from falling.
    #[must_use]
    pub const fn healthy(policy: &Policy, now: Moment) -> Self {
        Self {
            verdict: Verdict::Healthy,
            why: Why::NotYetChecked,
            since: now,
            counter: top(policy),
            last: None,
        }
    }

    /// Takes in the result of a check. `policy` may have changed since the last one.
    pub fn observe(&mut self, policy: &Policy, result: CheckResult, now: Moment) -> Option<Change> {
        self.last = Some(result);
        let (rise, top) = (rise(policy), top(policy));
        // Under a changed policy the verdict stands, and the counter keeps to its side of `rise`.
        let counter = if self.verdict.is_usable() {
            self.counter.clamp(rise, top)
        } else {
            self.counter.min(rise - 1)
        };
        let (counter, to, why) = match result {
            CheckResult::Pass if counter + 1 >= rise => (top, Verdict::Healthy, Why::Passed),
            CheckResult::Pass => (counter + 1, self.verdict, self.why),
            CheckResult::Fail(failure)
                if counter <= rise || policy.eject_on_first.believes(failure) =>
            {
                (0, Verdict::Unhealthy, Why::Failed(failure))
            }
            CheckResult::Fail(_) => (counter - 1, self.verdict, self.why),
        };
        self.counter = counter;
        if to == self.verdict {
            return None;
        }
        let change = Change { from: self.verdict, to, at: now, why };
        (self.verdict, self.why, self.since) = (to, why, now);
        Some(change)
    }

    /// What is concluded.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// What the verdict rests on.
    #[must_use]
    pub const fn why(&self) -> Why {
        self.why
    }

    /// Since when the verdict stands.
    #[must_use]
    pub const fn since(&self) -> Moment {
        self.since
    }

    /// The last result, whether or not it changed the verdict.
    #[must_use]
    pub const fn last_result(&self) -> Option<CheckResult> {
        self.last
    }

    /// The counter of rise and fall.
    #[must_use]
    pub const fn counter(&self) -> u32 {
        self.counter
    }

    /// Whether it is healthy and its last result was good: nothing is under way.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        matches!((self.verdict, self.last), (Verdict::Healthy, None | Some(CheckResult::Pass)))
    }
}

/// The checks in a row that raise it; a policy of none means one.
const fn rise(policy: &Policy) -> u32 {
    if policy.rise == 0 { 1 } else { policy.rise }
}

/// The highest the counter goes.
const fn top(policy: &Policy) -> u32 {
    let fall = if policy.fall == 0 { 1 } else { policy.fall };
    rise(policy).saturating_add(fall - 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::super::{Check, CheckFailure};
    use super::CheckResult::Pass;
    use super::Verdict::{Healthy, Unhealthy, Unknown};
    use super::*;

    const FAIL: CheckResult = CheckResult::Fail(CheckFailure::Timeout);

    fn policy(rise: u32, fall: u32) -> Policy {
        Policy { rise, fall, ..Policy::of(Check::Tcp) }
    }

    /// Walks rows of result, counter and verdict after it.
    fn walk(policy: &Policy, mut tracker: Tracker, rows: &[(CheckResult, u32, Verdict)]) {
        for (number, (result, counter, verdict)) in rows.iter().enumerate() {
            let before = tracker.verdict();
            let now = Moment::from_millis(number as u64 + 1);
            let change = tracker.observe(policy, *result, now);
            assert_eq!(
                (tracker.counter(), tracker.verdict()),
                (*counter, *verdict),
                "row {number}"
            );
            assert_eq!(change.is_some(), before != *verdict, "row {number}");
            if let Some(change) = change {
                assert_eq!((change.from, change.to, change.at), (before, *verdict, now));
                assert_eq!((tracker.since(), tracker.why()), (now, change.why));
            }
            assert_eq!(tracker.last_result(), Some(*result));
        }
    }

    #[test]
    fn three_failures_in_a_row_bring_it_down_and_two_passes_up() {
        let policy = policy(2, 3);
        let rows = [
            (FAIL, 3, Healthy),
            (FAIL, 2, Healthy),
            (FAIL, 0, Unhealthy),
            (Pass, 1, Unhealthy),
            (Pass, 4, Healthy),
        ];
        walk(&policy, Tracker::healthy(&policy, Moment::START), &rows);
    }

    #[test]
    fn one_pass_on_the_way_down_restores_it() {
        let policy = policy(2, 3);
        let rows = [
            (FAIL, 3, Healthy),
            (FAIL, 2, Healthy),
            (Pass, 4, Healthy),
            (FAIL, 3, Healthy),
            (FAIL, 2, Healthy),
            (FAIL, 0, Unhealthy),
        ];
        walk(&policy, Tracker::healthy(&policy, Moment::START), &rows);
    }

    #[test]
    fn one_failure_on_the_way_up_starts_it_again() {
        let policy = policy(3, 1);
        let rows = [
            (FAIL, 0, Unhealthy),
            (Pass, 1, Unhealthy),
            (Pass, 2, Unhealthy),
            (FAIL, 0, Unhealthy),
            (Pass, 1, Unhealthy),
            (Pass, 2, Unhealthy),
            (Pass, 3, Healthy),
        ];
        walk(&policy, Tracker::healthy(&policy, Moment::START), &rows);
    }

    #[test]
    fn the_first_result_decides_about_an_unknown_instance() {
        let policy = policy(2, 3);
        let unknown = Tracker::unknown(&policy, Moment::START);
        assert_eq!((unknown.verdict(), unknown.why()), (Unknown, Why::NotYetChecked));
        assert!(!unknown.is_settled());
        walk(&policy, unknown.clone(), &[(Pass, 4, Healthy)]);
        walk(&policy, unknown, &[(FAIL, 0, Unhealthy), (Pass, 1, Unhealthy)]);
    }

    #[test]
    fn a_new_policy_does_not_change_a_verdict_by_itself() {
        let (strict, lax) = (policy(1, 1), policy(5, 5));
        let mut tracker = Tracker::healthy(&lax, Moment::START);
        assert_eq!(tracker.observe(&strict, Pass, Moment::START), None);
        assert_eq!(tracker.observe(&lax, Pass, Moment::START), None);
        for _ in 0..4 {
            assert_eq!(tracker.observe(&lax, FAIL, Moment::START), None);
        }
        let change = tracker.observe(&strict, FAIL, Moment::START).unwrap();
        assert_eq!(change.why, Why::Failed(CheckFailure::Timeout));
        for _ in 0..4 {
            assert_eq!(tracker.observe(&lax, Pass, Moment::START), None);
        }
        assert_eq!(tracker.verdict(), Unhealthy);
        // Four passes of five are one of two at most: a failure still takes them all.
        let two = policy(2, 1);
        assert_eq!(tracker.observe(&two, FAIL, Moment::START), None);
        assert_eq!(tracker.observe(&two, Pass, Moment::START), None);
        assert!(tracker.observe(&two, Pass, Moment::START).is_some());
    }

    #[test]
    fn a_policy_of_no_checks_means_one() {
        let policy = policy(0, 0);
        let rows = [(FAIL, 0, Unhealthy), (Pass, 1, Healthy), (FAIL, 0, Unhealthy)];
        walk(&policy, Tracker::unknown(&policy, Moment::START), &rows);
    }

    proptest! {
        /// The oracle counts results in a row, as the policy is worded.
        #[test]
        fn a_verdict_is_what_enough_results_in_a_row_say(
            (rise, fall) in (1_u32..6, 1_u32..6),
            passes in proptest::collection::vec(any::<bool>(), 1..100),
        ) {
            let policy = policy(rise, fall);
            let mut tracker = Tracker::unknown(&policy, Moment::START);
            let (mut verdict, mut in_a_row, mut last) = (Unknown, 0, None);
            for pass in passes {
                in_a_row = if last == Some(pass) { in_a_row + 1 } else { 1 };
                last = Some(pass);
                verdict = match (verdict, pass) {
                    (Unknown, true) => Healthy,
                    (Unknown, false) => Unhealthy,
                    (Unhealthy, true) if in_a_row >= rise => Healthy,
                    (Healthy, false) if in_a_row >= fall => Unhealthy,
                    (same, _) => same,
                };
                tracker.observe(&policy, if pass { Pass } else { FAIL }, Moment::START);
                prop_assert_eq!(tracker.verdict(), verdict);
                prop_assert!(tracker.counter() < rise + fall);
                prop_assert_eq!(tracker.is_settled(), verdict == Healthy && pass);
            }
        }
    }

    #[test]
    fn a_failure_that_is_believed_at_once_needs_no_other() {
        use super::super::EjectOnFirst;
        let (status, traffic, identity) =
            (CheckFailure::Status(503), CheckFailure::Traffic, CheckFailure::Identity);
        let never = EjectOnFirst::NEVER;
        // what is believed at once, failure, whether one of it is enough
        let table = [
            (never, status, false),
            (EjectOnFirst { status: true, ..never }, status, true),
            (EjectOnFirst { status: true, ..never }, CheckFailure::Timeout, false),
            (EjectOnFirst { status: true, ..never }, traffic, false),
            (EjectOnFirst { passive: true, ..never }, traffic, true),
            (EjectOnFirst { identity: true, ..never }, identity, true),
            (EjectOnFirst { identity: true, ..never }, status, false),
        ];
        for (eject_on_first, failure, is_enough) in table {
            let policy = Policy { eject_on_first, ..policy(2, 3) };
            let mut tracker = Tracker::healthy(&policy, Moment::START);
            let change = tracker.observe(&policy, CheckResult::Fail(failure), Moment::START);
            assert_eq!(change.is_some(), is_enough, "{eject_on_first:?} {failure:?}");
            assert_eq!(tracker.verdict() == Unhealthy, is_enough);
            if is_enough {
                walk(&policy, tracker, &[(Pass, 1, Unhealthy), (Pass, 4, Healthy)]);
            }
        }
    }
}
