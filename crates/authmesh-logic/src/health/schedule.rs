//! When an instance is checked next: spread at the start, jittered afterwards.

use core::time::Duration;

use super::{Policy, Tracker};
use crate::{Dice, Moment};

/// The next check of one instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    due: Moment,
}

impl Schedule {
    /// The distance between the first checks of two instances, where there is time for it.
    const FIRST_SPACING: Duration = Duration::from_millis(10);

    /// The first check of the instance at `position` among `count` that appeared together.
    ///
    /// They are striped: the first at once, the others evenly over 10 ms for each, but never
    /// longer than leaves a check time to end within one interval. So a mesh that starts has heard
    /// of each instance within an interval, and does not check a thousand at the same instant.
    #[must_use]
    pub fn first(policy: &Policy, position: usize, count: usize, now: Moment) -> Self {
        let count = u32::try_from(count).unwrap_or(u32::MAX).max(1);
        let position = u32::try_from(position).unwrap_or(u32::MAX).min(count - 1);
        let time = policy.interval.saturating_sub(policy.timeout);
        let spacing = Self::FIRST_SPACING.min(time / count);
        Self { due: now + spacing.saturating_mul(position) }
    }

    /// When the next check is due.
    #[must_use]
    pub const fn due(&self) -> Moment {
        self.due
    }

    /// Plans the check after one that began at `started`, of which `tracker` has seen the result.
    ///
    /// The pause is `interval` for a healthy instance whose last check passed, otherwise
    /// `failing_interval`; up to `jitter_percent` of it is added at random, so that instances do
    /// not fall into step. It counts from the beginning of the check, so that a check which runs
    /// into its time limit does not delay the next; never before the check ended at `now`.
    pub fn plan(
        &mut self,
        policy: &Policy,
        tracker: &Tracker,
        started: Moment,
        now: Moment,
        dice: &mut Dice,
    ) {
        let pause = if tracker.is_settled() { policy.interval } else { policy.failing_interval };
        let pause = u64::try_from(pause.as_nanos()).unwrap_or(u64::MAX);
        let jitter = pause / 100 * u64::from(policy.jitter_percent);
        let pause = pause.saturating_add(dice.below(jitter.saturating_add(1)));
        self.due = (started + Duration::from_nanos(pause)).max(now);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, proptest};
    use std::vec::Vec;

    use super::super::{Check, CheckFailure, CheckResult};
    use super::*;

    fn policy() -> Policy {
        Policy::of(Check::Tcp)
    }

    #[test]
    fn first_checks_are_striped() {
        let now = Moment::from_millis(500);
        let dues: Vec<u64> = (0..4)
            .map(|position| Schedule::first(&policy(), position, 4, now).due().as_millis())
            .collect();
        assert_eq!(dues, [500, 510, 520, 530]);
        let last = Schedule::first(&policy(), 9_999, 10_000, now).due();
        assert!(last > Moment::from_millis(4_490) && last < Moment::from_millis(4_500));
    }

    #[test]
    fn a_failing_instance_is_checked_sooner() {
        let policy = Policy { jitter_percent: 0, ..policy() };
        let (mut dice, start) = (Dice::seeded(1), Moment::from_millis(1_000));
        let mut tracker = Tracker::unknown(&policy, start);
        let mut schedule = Schedule::first(&policy, 0, 1, start);
        // result of the check, when the next is due
        let table = [
            (CheckResult::Pass, 6_000),
            (CheckResult::Fail(CheckFailure::Refused), 2_000),
            (CheckResult::Fail(CheckFailure::Refused), 2_000),
            (CheckResult::Fail(CheckFailure::Refused), 2_000),
            (CheckResult::Pass, 2_000),
            (CheckResult::Pass, 6_000),
        ];
        for (result, due) in table {
            tracker.observe(&policy, result, start);
            schedule.plan(&policy, &tracker, start, Moment::from_millis(1_900), &mut dice);
            assert_eq!(schedule.due(), Moment::from_millis(due));
        }
    }

    #[test]
    fn a_check_longer_than_the_pause_is_followed_at_once() {
        let policy = Policy { failing_interval: Duration::from_millis(100), ..policy() };
        let tracker = Tracker::unknown(&policy, Moment::START);
        let mut schedule = Schedule::first(&policy, 0, 1, Moment::START);
        let ended = Moment::from_millis(1_000);
        schedule.plan(&policy, &tracker, Moment::START, ended, &mut Dice::seeded(1));
        assert_eq!(schedule.due(), ended);
    }

    proptest! {
        #[test]
        fn every_instance_has_been_checked_within_one_interval(
            (interval, timeout) in (1_u64..10_000, 1_u64..10_000),
            count in 1_usize..5_000,
        ) {
            let timeout = Duration::from_millis(timeout.min(interval));
            let policy = Policy { interval: Duration::from_millis(interval), timeout, ..policy() };
            let last = Schedule::first(&policy, count - 1, count, Moment::START).due();
            prop_assert!(last + timeout <= Moment::from_millis(interval));
        }

        #[test]
        fn jitter_only_adds_and_stays_within_its_share(percent in 0_u8..=100, seed in any::<u64>()) {
            let policy = Policy { jitter_percent: percent, ..policy() };
            let tracker = Tracker::healthy(&policy, Moment::START);
            let mut schedule = Schedule::first(&policy, 0, 1, Moment::START);
            let mut dice = Dice::seeded(seed);
            schedule.plan(&policy, &tracker, Moment::START, Moment::START, &mut dice);
            let added = schedule.due().since(Moment::START + policy.interval);
            prop_assert!(schedule.due() >= Moment::START + policy.interval);
            prop_assert!(added <= policy.interval * u32::from(percent) / 100);
        }
    }
}
