//! Counts who is in flight, admits by priority, and lets what calls showed move the limit.

use core::time::Duration;

use super::estimate::{Estimate, Sample};
use super::policy::Policy;
use super::priority::Priority;
use super::samples::Samples;
use crate::sync::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use crate::{Dice, Moment};

/// The limiter of one dependency. It waits for nobody: who finds the limit being moved leaves its
/// sample to be taken along.
#[derive(Debug)]
pub struct Limiter {
    limit: AtomicU32,
    in_flight: AtomicU32,
    samples: Samples,
    /// When the limit moved last, in nanoseconds.
    moved: AtomicU64,
    /// Held, without anyone waiting for it, by the call that moves the limit.
    moving: AtomicBool,
    /// The estimate, read and written by the holder of `moving` only.
    estimate: [AtomicU64; 4],
}

/// A place in flight; must be given back.
///
/// It has no destructor, so whoever may be dropped holds it in a guard.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a place that is not given back stays taken"]
pub struct Place {
    in_flight: u32,
}

/// The refusal of one call: its priority's places are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Full;

impl Limiter {
    /// An empty limiter at its initial limit.
    #[must_use]
    pub fn new(policy: &Policy, dice: &mut Dice, now: Moment) -> Self {
        let estimate = Estimate::new(policy, dice);
        Self {
            limit: AtomicU32::new(estimate.limit()),
            in_flight: AtomicU32::new(0),
            samples: Samples::default(),
            moved: AtomicU64::new(now.as_nanos()),
            moving: AtomicBool::new(false),
            estimate: words(&estimate).map(AtomicU64::new),
        }
    }

    /// Asks to make one call.
    ///
    /// # Errors
    /// As many are in flight as its priority may fill.
    pub fn try_acquire(&self, priority: Priority) -> Result<Place, Full> {
        let places = priority.places(self.limit());
        let enter = |in_flight| (in_flight < places).then_some(in_flight + 1);
        let entered = self.in_flight.fetch_update(Ordering::Relaxed, Ordering::Relaxed, enter);
        entered.map(|before| Place { in_flight: before + 1 }).map_err(|_| Full)
    }

    /// Gives a place back after a call that took this long, or was lost.
    pub fn finish(
        &self,
        policy: &Policy,
        place: Place,
        took: Duration,
        dropped: bool,
        dice: &mut Dice,
        now: Moment,
    ) {
        let in_flight = self.leave(place);
        self.samples.add(&Sample { took, in_flight, dropped });
        let moved = Moment::from_nanos(self.moved.load(Ordering::Relaxed));
        let is_due = now.since(moved) >= policy.window
            && self.samples.count() >= u64::from(policy.fewest_samples.max(1));
        if !is_due || self.moving.swap(true, Ordering::Acquire) {
            return;
        }
        if let Some(sample) = self.samples.take() {
            let mut estimate = read(&self.estimate);
            estimate.update(policy, &sample, dice);
            for (word, value) in self.estimate.iter().zip(words(&estimate)) {
                word.store(value, Ordering::Relaxed);
            }
            self.limit.store(estimate.limit(), Ordering::Relaxed);
            self.moved.store(now.as_nanos(), Ordering::Relaxed);
        }
        self.moving.store(false, Ordering::Release);
    }

    /// Gives a place back after a call that showed nothing.
    pub fn cancel(&self, place: Place) {
        self.leave(place);
    }

    /// Spends a place: how many were in flight when it was taken.
    fn leave(&self, Place { in_flight }: Place) -> u32 {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        in_flight
    }

    /// How many may be in flight at once.
    #[must_use]
    pub fn limit(&self) -> u32 {
        self.limit.load(Ordering::Relaxed)
    }

    /// How many are.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }
}

fn words(estimate: &Estimate) -> [u64; 4] {
    let Estimate { limit, reference, samples, luck } = *estimate;
    [limit.to_bits(), reference.to_bits(), samples, luck.to_bits()]
}

fn read(words: &[AtomicU64; 4]) -> Estimate {
    let [limit, reference, samples, luck] =
        words.each_ref().map(|word| word.load(Ordering::Relaxed));
    Estimate {
        limit: f64::from_bits(limit),
        reference: f64::from_bits(reference),
        samples,
        luck: f64::from_bits(luck),
    }
}

impl core::fmt::Display for Full {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("the dependency has as many calls in flight as it carries")
    }
}

impl core::error::Error for Full {}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::concurrency::Algorithm;

    fn limiter(policy: &Policy) -> Limiter {
        Limiter::new(policy, &mut Dice::seeded(1), Moment::START)
    }

    #[test]
    fn the_least_important_are_refused_first() {
        let policy = Policy { initial: 10, least: 1, ..Policy::of(Algorithm::AIMD) };
        let limiter = limiter(&policy);
        let mut places = std::vec::Vec::new();
        for (number, filled) in [(4, 6), (3, 8), (2, 9), (1, 10), (0, 10)] {
            let priority = Priority::new(number).unwrap();
            while let Ok(place) = limiter.try_acquire(priority) {
                places.push(place);
            }
            assert_eq!((limiter.in_flight(), places.len()), (filled, filled as usize));
        }
        for place in places {
            limiter.cancel(place);
        }
        assert_eq!((limiter.in_flight(), limiter.limit()), (0, 10));
    }

    #[test]
    fn the_mean_of_a_window_moves_the_limit_and_a_drop_in_it_is_not_lost() {
        let policy = Policy {
            window: Duration::from_secs(1),
            fewest_samples: 3,
            ..Policy::of(Algorithm::AIMD)
        };
        let policy = Policy { initial: 100, least: 1, ..policy };
        let (limiter, mut dice) = (limiter(&policy), Dice::seeded(1));
        let mut finish = |dropped, millis| {
            let place = limiter.try_acquire(Priority::MOST).unwrap();
            let now = Moment::from_millis(millis);
            limiter.finish(&policy, place, Duration::from_millis(1), dropped, &mut dice, now);
            limiter.limit()
        };
        let limits = [(true, 10), (false, 20), (false, 999), (false, 1_000), (false, 2_100)]
            .map(|(dropped, millis)| finish(dropped, millis));
        assert_eq!(limits, [100, 100, 100, 90, 90]);
    }

    #[test]
    fn no_thread_enters_beyond_the_limit_and_every_place_comes_back() {
        let policy = Policy { initial: 7, least: 7, most: 7, ..Policy::of(Algorithm::AIMD) };
        let limiter = limiter(&policy);
        thread::scope(|scope| {
            for seed in 0..4 {
                let (limiter, policy) = (&limiter, &policy);
                scope.spawn(move || {
                    let mut dice = Dice::seeded(seed);
                    for millis in 0..5_000 {
                        let Ok(place) = limiter.try_acquire(Priority::MOST) else { continue };
                        assert!(limiter.in_flight() <= 7);
                        let (took, now) = (Duration::from_millis(1), Moment::from_millis(millis));
                        limiter.finish(policy, place, took, false, &mut dice, now);
                    }
                });
            }
        });
        assert_eq!((limiter.in_flight(), limiter.limit()), (0, 7));
    }
}
