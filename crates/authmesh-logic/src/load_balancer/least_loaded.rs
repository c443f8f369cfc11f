//! The endpoint with the least load per weight; among idle ones, each its share.

use super::Candidate;
use super::two_choices::{draw, draw_other};
use crate::Dice;

/// Up to so many endpoints all are looked at; beyond, two drawn at random.
pub const FULL_SCAN_UP_TO: usize = 8;
/// How often one of the two is drawn again because it may not be taken, before all are looked at.
const MOST_DRAWS: usize = 4;

/// The least loaded of `candidates` for which `may` holds; `None` if it holds for none.
///
/// Load is compared as it would be after the choice, `(load + 1) / weight`, in integers. Ties are
/// broken at random by weight. If the least loaded is idle, all idle ones tie: so that at low
/// traffic each gets its share instead of the heaviest getting everything.
pub fn choose<C: Candidate>(
    candidates: &[C],
    may: impl Fn(usize) -> bool,
    dice: &mut Dice,
) -> Option<usize> {
    if candidates.len() > FULL_SCAN_UP_TO
        && let Some((one, other)) = draw_two(candidates.len(), &may, dice)
    {
        return least([one, other].into_iter(), candidates, dice);
    }
    least((0..candidates.len()).filter(|&index| may(index)), candidates, dice)
}

/// Two distinct numbers below `count` for which `may` holds, or `None` if luck did not find them.
fn draw_two(count: usize, may: &impl Fn(usize) -> bool, dice: &mut Dice) -> Option<(usize, usize)> {
    let one = (0..MOST_DRAWS).map(|_| draw(count, dice)).find(|&one| may(one))?;
    let other = (0..MOST_DRAWS).map(|_| draw_other(count, one, dice)).find(|&other| may(other))?;
    Some((one, other))
}

fn least<C: Candidate>(
    indexes: impl Iterator<Item = usize>,
    candidates: &[C],
    dice: &mut Dice,
) -> Option<usize> {
    let mut idle = Tied::default();
    let mut heaviest_idle = 0_u64;
    let mut busy = Tied::default();
    let mut least_busy = Pressure { load: u64::MAX, weight: 1 };
    for index in indexes {
        let Some(candidate) = candidates.get(index) else { continue };
        let weight = u64::from(candidate.weight().as_hundredths());
        let load = candidate.load();
        if load == 0 {
            heaviest_idle = heaviest_idle.max(weight);
            idle.add(index, weight, dice);
            continue;
        }
        let pressure = Pressure { load, weight };
        if busy.chosen.is_none() || pressure.is_below(least_busy) {
            (busy, least_busy) = (Tied::default(), pressure);
            busy.add(index, weight, dice);
        } else if !least_busy.is_below(pressure) {
            busy.add(index, weight, dice);
        }
    }
    let idle_is_least = !least_busy.is_below(Pressure { load: 0, weight: heaviest_idle });
    match (idle.chosen, busy.chosen) {
        (Some(idle), Some(busy)) => Some(if idle_is_least { idle } else { busy }),
        (idle, busy) => idle.or(busy),
    }
}

/// The load per weight that one more request would make.
#[derive(Clone, Copy)]
struct Pressure {
    load: u64,
    weight: u64,
}

impl Pressure {
    fn is_below(self, other: Self) -> bool {
        let product = |load: u64, weight: u64| (u128::from(load) + 1) * u128::from(weight);
        product(self.load, other.weight) < product(other.load, self.weight)
    }
}

/// One of several that tie, each as likely as its weight: a reservoir of one.
#[derive(Default)]
struct Tied {
    chosen: Option<usize>,
    weight: u64,
}

impl Tied {
    fn add(&mut self, index: usize, weight: u64, dice: &mut Dice) {
        self.weight += weight;
        if self.chosen.is_none() || dice.below(self.weight) < weight {
            self.chosen = Some(index);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use std::vec;
    use std::vec::Vec;

    use super::super::candidate::double::Endpoint;
    use super::*;

    fn counts(endpoints: &[Endpoint], picks: usize, seed: u64) -> Vec<usize> {
        let mut dice = Dice::seeded(seed);
        let mut counts = vec![0; endpoints.len()];
        for _ in 0..picks {
            counts[choose(endpoints, |_| true, &mut dice).unwrap()] += 1;
        }
        counts
    }

    #[test]
    fn up_to_eight_the_least_loaded_is_always_found() {
        for loads in [&[4, 3, 2, 1][..], &[4, 3, 2, 1, 5], &[9, 8, 7, 1, 5, 6, 7, 8]] {
            let endpoints: Vec<_> = loads.iter().copied().map(Endpoint::loaded).collect();
            let mut dice = Dice::seeded(1);
            for _ in 0..50 {
                assert_eq!(choose(&endpoints, |_| true, &mut dice), Some(3));
            }
        }
    }

    #[test]
    fn beyond_eight_the_most_loaded_is_never_taken_and_no_other_is_left_out() {
        let endpoints: Vec<_> = (1..=12).map(Endpoint::loaded).collect();
        let counts = counts(&endpoints, 20_000, 2);
        assert_eq!(counts[11], 0);
        assert!(counts[..11].iter().all(|&count| count > 0), "{counts:?}");
        assert!(counts.is_sorted_by(|less, more| less > more), "{counts:?}");
    }

    #[test]
    fn idle_endpoints_get_their_shares() {
        let endpoints = [100, 200, 300, 400].map(Endpoint::weighing);
        for (count, tenths) in counts(&endpoints, 100_000, 3).iter().zip(1..) {
            assert!(count.abs_diff(tenths * 10_000) < 600, "{tenths}: {count}");
        }
    }

    #[test]
    fn load_is_compared_by_weight_and_as_it_would_be_after_the_choice() {
        let endpoint = |load, weight| Endpoint { load, ..Endpoint::weighing(weight) };
        // endpoints as (load, weight), who is taken
        let table = [
            ([(2, 200), (1, 100)], 0), // 3/2 < 2/1
            ([(4, 200), (1, 100)], 1), // 5/2 > 2/1
            ([(1, 200), (0, 100)], 1), // 2/2 = 1/1: the idle one
            ([(1, 900), (0, 100)], 0), // 2/9 < 1/1: a heavy one is better though not idle
            ([(u64::MAX, 1_000), (u64::MAX - 1, 10)], 0),
        ];
        for (endpoints, expected) in table {
            let endpoints = endpoints.map(|(load, weight)| endpoint(load, weight));
            let chosen = choose(&endpoints, |_| true, &mut Dice::seeded(4));
            assert_eq!(chosen, Some(expected), "{endpoints:?}");
        }
    }

    #[test]
    fn one_that_may_be_taken_is_found_among_many_that_may_not() {
        let endpoints = vec![Endpoint::loaded(0); 1_000];
        let mut dice = Dice::seeded(5);
        for only in [0, 500, 999] {
            assert_eq!(choose(&endpoints, |index| index == only, &mut dice), Some(only));
        }
    }

    proptest! {
        /// Requests that never end spread as d'Hondt's method divides seats: nobody could give one
        /// up to another and be better balanced.
        #[test]
        fn standing_load_follows_weights(
            weights in proptest::collection::vec(10_u16..=1_000, 2..=8),
            seed in any::<u64>(),
        ) {
            let mut dice = Dice::seeded(seed);
            let mut endpoints: Vec<_> = weights.into_iter().map(Endpoint::weighing).collect();
            for _ in 0..500 {
                let chosen = choose(&endpoints, |_| true, &mut dice).unwrap();
                endpoints[chosen].load += 1;
            }
            // A first request may go to a light endpoint because it was idle.
            for one in endpoints.iter().filter(|one| one.load > 1) {
                for other in &endpoints {
                    let (of_one, of_other) = (one.weight.as_hundredths(), other.weight.as_hundredths());
                    prop_assert!(
                        one.load * u64::from(of_other) <= (other.load + 1) * u64::from(of_one),
                        "{:?}", endpoints
                    );
                }
            }
        }
    }
}
