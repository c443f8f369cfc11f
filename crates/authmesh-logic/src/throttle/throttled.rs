//! Counts what is asked and served, and refuses by the formula.

use core::time::Duration;

use super::policy::Policy;
use crate::outcome::OutcomeKind;
use crate::sliding_sum::SlidingSum;
use crate::sync::{AtomicU64, Ordering};
use crate::{Dice, Lane, Moment};

/// The throttle of one dependency. Built once, it allocates no more and waits for nobody.
#[derive(Debug)]
pub struct Throttle {
    served: SlidingSum,
    epoch: Moment,
    /// The probability computed last, and when: `tick:32 | parts of 2³²`.
    current: AtomicU64,
    /// When a call was last let through against the odds, in milliseconds; 0 is never.
    spared: AtomicU64,
}

/// The refusal of one call by luck.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shed {
    /// When asking again may help.
    pub retry_after: Duration,
}

/// Into how many parts the window is divided.
const BUCKETS: u16 = 15;

/// How old the probability in force may be; summing the window for every call would cost more than
/// a stale tenth of a second does.
const TICK_MILLIS: u64 = 100;

/// One call in this time is let through whatever the odds, so that recovery is seen.
const FLOOR_MILLIS: u64 = 1_000;

impl Throttle {
    /// A throttle that has seen nothing, with counters for each of `shards` workers.
    #[must_use]
    pub fn new(policy: &Policy, shards: usize, epoch: Moment) -> Self {
        Self {
            served: SlidingSum::new(policy.window, BUCKETS, shards, epoch),
            epoch,
            current: AtomicU64::new(0),
            spared: AtomicU64::new(0),
        }
    }

    /// Asks to make one call. What is refused counts as asked.
    ///
    /// # Errors
    /// The refusal says when asking again may help.
    pub fn try_acquire(
        &self,
        policy: &Policy,
        lane: Lane,
        dice: &mut Dice,
        now: Moment,
    ) -> Result<(), Shed> {
        let rejection = self.current(policy, now);
        if rejection <= 0.0 || dice.fraction() >= rejection || self.is_spared(now) {
            return Ok(());
        }
        self.served.add(lane, false, now);
        Err(Shed { retry_after: Duration::from_millis(FLOOR_MILLIS) })
    }

    /// Tells how a call ended that was let through. What says nothing counts nowhere.
    pub fn record(&self, lane: Lane, kind: OutcomeKind, now: Moment) {
        let is_served = match kind {
            OutcomeKind::Success | OutcomeKind::Denied => true,
            OutcomeKind::Throttled | OutcomeKind::Failure => false,
            OutcomeKind::Neutral => return,
        };
        self.served.add(lane, is_served, now);
    }

    /// The probability of refusing a call at this moment. Changes nothing.
    #[must_use]
    pub fn rejection(&self, policy: &Policy, now: Moment) -> f64 {
        let sum = self.served.sum(now);
        if sum.all < u64::from(policy.minimum_requests) {
            return 0.0;
        }
        policy.formula.rejection(sum.all, sum.part)
    }

    /// The same, at most a tick old.
    fn current(&self, policy: &Policy, now: Moment) -> f64 {
        // Never 0, so that a fresh word is old.
        let tick = (self.millis(now) / TICK_MILLIS + 1) & u64::from(u32::MAX);
        let word = self.current.load(Ordering::Relaxed);
        if word >> 32 == tick {
            return (word & u64::from(u32::MAX)) as f64 / PARTS;
        }
        let rejection = self.rejection(policy, now);
        let parts = ((rejection * PARTS) as u64).min(u64::from(u32::MAX));
        // Several may compute it at once; each stores what the window holds.
        self.current.store(tick << 32 | parts, Ordering::Relaxed);
        rejection
    }

    /// Whether this is the call of its second that is let through against the odds.
    fn is_spared(&self, now: Moment) -> bool {
        let millis = self.millis(now) + FLOOR_MILLIS;
        let spared = self.spared.load(Ordering::Relaxed);
        millis >= spared + FLOOR_MILLIS
            && self
                .spared
                .compare_exchange(spared, millis, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    fn millis(&self, now: Moment) -> u64 {
        now.as_nanos().saturating_sub(self.epoch.as_nanos()) / 1_000_000
    }
}

const PARTS: f64 = (1_u64 << 32) as f64;

impl core::fmt::Display for Shed {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("the dependency serves too little of what it is asked")
    }
}

impl core::error::Error for Shed {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::throttle::Formula;

    const POLICY: Policy = Policy::of(Formula::GOOGLE_SRE);

    /// Asks once a millisecond from `from` on; the dependency serves `served` of ten. Returns how
    /// many of a thousand were let through.
    fn ask_a_thousand(throttle: &Throttle, from: u64, served: u64, dice: &mut Dice) -> u64 {
        let mut admitted = 0;
        for millis in from..from + 1_000 {
            let now = Moment::from_millis(millis);
            if throttle.try_acquire(&POLICY, Lane::FIRST, dice, now).is_ok() {
                admitted += 1;
                let kind = match admitted % 10 < served {
                    true => OutcomeKind::Denied,
                    false => OutcomeKind::Failure,
                };
                throttle.record(Lane::FIRST, kind, now);
            }
        }
        admitted
    }

    #[test]
    fn it_bends_with_what_is_served_and_heals_by_itself() {
        let seed = 7;
        let (mut dice, throttle) =
            (Dice::seeded(seed), Throttle::new(&POLICY, 1, Moment::from_millis(0)));
        assert_eq!(ask_a_thousand(&throttle, 0, 10, &mut dice), 1_000, "all is served");
        for from in (1_000..60_000).step_by(1_000) {
            ask_a_thousand(&throttle, from, 0, &mut dice);
        }
        let dead = ask_a_thousand(&throttle, 60_000, 0, &mut dice);
        assert!((1..50).contains(&dead), "{dead} of a dead dependency, seed {seed}");
        let mut back = 0;
        for from in (61_000..261_000).step_by(1_000) {
            back = ask_a_thousand(&throttle, from, 10, &mut dice);
        }
        assert!(back > 900, "{back} of one that is back, seed {seed}");
    }

    #[test]
    fn one_call_a_second_is_let_through_whatever_the_odds() {
        let (mut dice, throttle) = (Dice::seeded(3), Throttle::new(&POLICY, 1, Moment::START));
        for _ in 0..1_000_000 {
            throttle.record(Lane::FIRST, OutcomeKind::Failure, Moment::from_millis(500));
        }
        let spared: std::vec::Vec<u64> = (500..3_600)
            .filter(|&millis| {
                let now = Moment::from_millis(millis);
                throttle.try_acquire(&POLICY, Lane::FIRST, &mut dice, now).is_ok()
            })
            .collect();
        assert_eq!(spared, [500, 1_500, 2_500, 3_500]);
    }

    #[test]
    fn few_requests_and_neutral_ends_refuse_nothing() {
        let throttle = Throttle::new(&POLICY, 2, Moment::START);
        let now = Moment::from_millis(50);
        for number in 0..19 {
            throttle.record(Lane::new(number), OutcomeKind::Failure, now);
        }
        throttle.record(Lane::FIRST, OutcomeKind::Neutral, now);
        assert!(throttle.rejection(&POLICY, now) <= 0.0);
        throttle.record(Lane::FIRST, OutcomeKind::Throttled, now);
        assert!(throttle.rejection(&POLICY, now) > 0.9);
    }
}
