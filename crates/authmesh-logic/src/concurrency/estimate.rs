//! Moves a limit by what calls showed: AIMD, Vegas and Gradient2, each as its source has it.

use core::time::Duration;

use super::policy::{Algorithm, Decrease, Policy};
use crate::{Dice, Factor, Ratio};

/// What one call showed, or the mean of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// How long it took.
    pub took: Duration,
    /// How many were in flight when it began, itself included.
    pub in_flight: u32,
    /// Whether it was lost: timed out, refused, or asked to be fewer.
    pub dropped: bool,
}

/// A limit and what its algorithm remembers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    pub(super) limit: f64,
    /// Nanoseconds: the quickest answer (Vegas), the mean of the past (Gradient2); 0 is none yet.
    pub(super) reference: f64,
    /// Samples since the reference was renewed (Vegas); those it is the plain mean of (Gradient2).
    pub(super) samples: u64,
    /// The luck of the next renewal, a half to one (Vegas).
    pub(super) luck: f64,
}

/// The first samples of Gradient2 are averaged plainly.
const WARM_UP: u64 = 10;

impl Estimate {
    /// The initial limit.
    #[must_use]
    pub fn new(policy: &Policy, dice: &mut Dice) -> Self {
        let limit = f64::from(policy.initial);
        Self { limit, reference: 0.0, samples: 0, luck: renewal_luck(dice) }
    }

    /// How many may be in flight at once.
    #[must_use]
    pub fn limit(&self) -> u32 {
        // Whole places; a limit is never negative, and `most` is a u32.
        self.limit as u32
    }

    /// Moves the limit by what a sample showed.
    pub fn update(&mut self, policy: &Policy, sample: &Sample, dice: &mut Dice) {
        let moved = match policy.algorithm {
            Algorithm::Aimd { backoff, timeout } => Some(self.aimd(backoff, timeout, sample)),
            Algorithm::Vegas { smoothing, decrease, renew_after } => {
                self.vegas(policy, smoothing, decrease, renew_after, sample, dice)
            }
            Algorithm::Gradient2 { tolerance, queue, smoothing, long_window } => {
                self.gradient2(tolerance, queue, smoothing, long_window, sample)
            }
        };
        let least = f64::from(policy.least.max(1));
        let most = f64::from(policy.most).max(least);
        self.limit = moved.unwrap_or(self.limit).clamp(least, most);
    }

    fn aimd(&self, backoff: Ratio, timeout: Duration, sample: &Sample) -> f64 {
        if sample.dropped || sample.took > timeout {
            f64::from((self.limit * backoff.as_fraction()) as u32)
        } else if f64::from(sample.in_flight) * 2.0 >= self.limit {
            self.limit + 1.0
        } else {
            self.limit
        }
    }

    fn vegas(
        &mut self,
        policy: &Policy,
        smoothing: Ratio,
        decrease: Decrease,
        renew_after: u32,
        sample: &Sample,
        dice: &mut Dice,
    ) -> Option<f64> {
        let took = nanos(sample.took);
        self.samples += 1;
        if self.luck * f64::from(renew_after) * self.limit <= self.samples as f64 {
            self.luck = renewal_luck(dice);
            self.samples = 0;
            self.reference = took;
            return None;
        }
        if self.reference == 0.0 || took < self.reference {
            self.reference = took;
            return None;
        }
        let queue = libm::ceil(self.limit * (1.0 - self.reference / took));
        let step = logarithm(self.limit);
        let lowered = match decrease {
            Decrease::Logarithm => self.limit - step,
            Decrease::Half => self.limit / 2.0,
        };
        let target = if sample.dropped {
            lowered
        } else if f64::from(sample.in_flight) * 2.0 < self.limit {
            // Nobody asked for so much: no drift upwards.
            return None;
        } else if queue <= step {
            self.limit + 6.0 * step
        } else if queue < 3.0 * step {
            self.limit + step
        } else if queue > 6.0 * step {
            lowered
        } else {
            return None;
        };
        let target = target.clamp(1.0, f64::from(policy.most.max(1)));
        Some(smoothed(self.limit, target, smoothing))
    }

    fn gradient2(
        &mut self,
        tolerance: Factor,
        queue: u32,
        smoothing: Ratio,
        long_window: u32,
        sample: &Sample,
    ) -> Option<f64> {
        let took = nanos(sample.took);
        if self.samples < WARM_UP {
            self.samples += 1;
            self.reference += (took - self.reference) / self.samples as f64;
        } else {
            let weight = 2.0 / (f64::from(long_window) + 1.0);
            self.reference = self.reference * (1.0 - weight) + took * weight;
        }
        let past = self.reference;
        // Back to normal after a long time of load: the past is forgotten faster.
        if past / took > 2.0 {
            self.reference *= 0.95;
        }
        if f64::from(sample.in_flight) < self.limit / 2.0 {
            return None;
        }
        let gradient = (tolerance.as_number() * past / took).clamp(0.5, 1.0);
        let target = self.limit * gradient + f64::from(queue);
        Some(smoothed(self.limit, target, smoothing))
    }
}

/// The whole decimal logarithm of a limit, at least 1.
fn logarithm(limit: f64) -> f64 {
    f64::from((limit as u32).checked_ilog10().unwrap_or(0).max(1))
}

fn smoothed(before: f64, target: f64, smoothing: Ratio) -> f64 {
    let smoothing = smoothing.as_fraction();
    (1.0 - smoothing) * before + smoothing * target
}

fn renewal_luck(dice: &mut Dice) -> f64 {
    0.5 + dice.fraction() / 2.0
}

/// At least one, as they are divided by.
fn nanos(time: Duration) -> f64 {
    (time.as_nanos() as f64).max(1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn limits(policy: Policy, samples: &[(u64, u32, bool)]) -> std::vec::Vec<u32> {
        let mut dice = Dice::seeded(1);
        let mut estimate = Estimate::new(&policy, &mut dice);
        let moved = samples.iter().map(|&(millis, in_flight, dropped)| {
            let sample = Sample { took: Duration::from_millis(millis), in_flight, dropped };
            estimate.update(&policy, &sample, &mut dice);
            estimate.limit()
        });
        moved.collect()
    }

    #[test]
    fn aimd_adds_one_and_takes_a_share() {
        let policy = Policy { initial: 30, ..Policy::of(Algorithm::AIMD) };
        let samples =
            [(1, 15, false), (1, 15, false), (1, 1, true), (5_000, 15, false), (5_001, 1, false)];
        assert_eq!(limits(policy, &samples), [31, 31, 27, 28, 25]);
        let low = Policy { initial: 20, ..policy };
        assert_eq!(limits(low, &[(1, 1, true)]), [20], "never below the least");
    }

    #[test]
    fn vegas_follows_the_queue_it_infers() {
        let policy = Policy { initial: 10, least: 1, most: 20, ..Policy::of(Algorithm::VEGAS) };
        assert_eq!(limits(policy, &[(10, 10, false), (10, 11, false)]), [10, 16]);
        assert_eq!(limits(policy, &[(10, 10, false), (14, 14, false)]), [10, 10]);
        assert_eq!(limits(policy, &[(10, 10, false), (50, 11, false)]), [10, 9]);
        assert_eq!(limits(policy, &[(10, 10, false), (10, 4, false)]), [10, 10]);
        let large = Policy { initial: 10_000, most: 20_000, ..policy };
        assert_eq!(limits(large, &[(10, 5_000, false), (10, 6_000, false)]), [10_000, 10_024]);
    }

    #[test]
    fn vegas_looks_for_the_quickest_answer_anew() {
        let policy = Policy { initial: 10, least: 1, most: 20, ..Policy::of(Algorithm::VEGAS) };
        let mut samples = [(20, 1, false); 400];
        samples[0].0 = 1;
        samples[399].1 = 10;
        assert_eq!(limits(policy, &samples)[399], 16, "20 ms are the quickest by now");
    }

    #[test]
    fn gradient2_gives_way_as_answers_get_slower_than_they_were() {
        let policy = Policy { least: 4, most: 100, ..Policy::of(Algorithm::GRADIENT2) };
        let steady = limits(policy, &[(10, 100, false); 300]);
        assert_eq!((steady[0], steady[299]), (20, 100));
        let mut slower = std::vec![(10, 100, false); 300];
        slower.extend([(100, 100, false); 30]);
        let slower = limits(policy, &slower);
        assert!(slower[329] < 40, "{}", slower[329]);
        assert_eq!(limits(policy, &[(10, 9, false); 50])[49], 20, "half of it is not used");
    }

    proptest! {
        #[test]
        fn a_limit_stays_within_its_bounds(
            samples in prop::collection::vec((0_u64..5_000, 0_u32..500, any::<bool>()), 1..200),
            least in 1_u32..50, spread in 0_u32..500,
        ) {
            for algorithm in [Algorithm::AIMD, Algorithm::VEGAS, Algorithm::GRADIENT2] {
                let most = least + spread;
                let policy = Policy { initial: least, least, most, ..Policy::of(algorithm) };
                for limit in limits(policy, &samples) {
                    prop_assert!((least..=most).contains(&limit));
                }
            }
        }
    }
}
