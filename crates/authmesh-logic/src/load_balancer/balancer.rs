//! Chooses the endpoint of an attempt.

use alloc::vec::Vec;

use super::smooth::Cycle;
use super::stride::Stride;
use super::{Candidate, Policy, Strategy, least_loaded, two_choices};
use crate::Dice;
use crate::discovery::Weight;
use crate::sync::{AtomicU64, Ordering};

/// How many turns, beside two for each endpoint, round robin passes over because their endpoints
/// may not be taken, before it takes any that may.
///
/// While it only passes over turns, the remaining endpoints keep their exact proportions.
const MOST_TURNS_PASSED: usize = 64;

/// A way to choose among the endpoints of one roster.
///
/// Choosing takes `&self`, allocates nothing and takes no lock; the state of round robin is one
/// atomic number. A new roster or a new weight is a new balancer.
#[derive(Debug)]
pub struct LoadBalancer {
    turns: Turns,
    position: AtomicU64,
}

#[derive(Debug)]
enum Turns {
    /// None: the load decides.
    LeastLoaded,
    /// A computed cycle.
    Cycle(Cycle),
    /// Too many endpoints, or too long a cycle, to compute it.
    Stride(Stride),
}

impl LoadBalancer {
    /// A balancer for endpoints of these `weights`, in the order in which they will be handed to
    /// [`pick`](Self::pick). `dice` say where round robin begins, so that many that start together
    /// do not all begin with the same endpoint.
    #[must_use]
    pub fn new(policy: Policy, weights: impl IntoIterator<Item = Weight>, dice: &mut Dice) -> Self {
        let turns = match policy.strategy {
            Strategy::LeastLoaded => Turns::LeastLoaded,
            Strategy::RoundRobin => {
                let weights: Vec<u32> =
                    weights.into_iter().map(|weight| weight.as_hundredths().into()).collect();
                match Cycle::over(&weights) {
                    Some(cycle) => Turns::Cycle(cycle),
                    None => {
                        let weights: Vec<f64> = weights.into_iter().map(f64::from).collect();
                        Turns::Stride(Stride::over(&weights))
                    }
                }
            }
        };
        Self { turns, position: AtomicU64::new(u64::from(u32::MAX) & dice.bits()) }
    }

    /// The index of the endpoint to take, among those that [admit](Candidate::admits); `None` if
    /// none does.
    pub fn pick<C: Candidate>(&self, candidates: &[C], dice: &mut Dice) -> Option<usize> {
        self.pick_where(candidates, |_| true, dice)
    }

    /// As [`pick`](Self::pick), only among endpoints whose index is `wanted`: for another attempt,
    /// the ones not yet tried.
    pub fn pick_where<C: Candidate>(
        &self,
        candidates: &[C],
        wanted: impl Fn(usize) -> bool,
        dice: &mut Dice,
    ) -> Option<usize> {
        let may =
            |index: usize| candidates.get(index).is_some_and(Candidate::admits) && wanted(index);
        match &self.turns {
            Turns::LeastLoaded => least_loaded::choose(candidates, may, dice),
            Turns::Cycle(cycle) => self
                .next_turn(|position| cycle.at(position), candidates.len(), may)
                .or_else(|| any_place(candidates.len(), may, dice)),
            // Static stride is defined over a sequence of 32 bits; the cast drops the rest.
            Turns::Stride(stride) => self
                .next_turn(|position| stride.at(position as u32), candidates.len(), may)
                .or_else(|| any_place(candidates.len(), may, dice)),
        }
    }

    fn next_turn(
        &self,
        turn: impl Fn(u64) -> Option<usize>,
        endpoints: usize,
        may: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        // A stride has a turn in every round, and a sequence that overflows spoils one.
        (0..MOST_TURNS_PASSED + 2 * endpoints)
            .filter_map(|_| turn(self.position.fetch_add(1, Ordering::Relaxed)))
            .find(|&index| may(index))
    }
}

/// The first that may be taken, counted from a place drawn at random.
fn any_place(count: usize, may: impl Fn(usize) -> bool, dice: &mut Dice) -> Option<usize> {
    let start = two_choices::draw(count, dice);
    (start..count).chain(0..start).find(|&index| may(index))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
    use proptest::strategy::Strategy as Generator;
    use std::vec;

    use super::super::candidate::double::Endpoint;
    use super::*;

    fn balancer(strategy: Strategy, endpoints: &[Endpoint], seed: u64) -> LoadBalancer {
        let weights = endpoints.iter().map(Candidate::weight);
        LoadBalancer::new(Policy { strategy }, weights, &mut Dice::seeded(seed))
    }

    fn counts(strategy: Strategy, endpoints: &[Endpoint], picks: usize) -> Vec<usize> {
        let mut dice = Dice::seeded(11);
        let balancer = balancer(strategy, endpoints, 5);
        let mut counts = vec![0; endpoints.len()];
        for _ in 0..picks {
            counts[balancer.pick(endpoints, &mut dice).unwrap()] += 1;
        }
        counts
    }

    #[test]
    fn round_robin_gives_each_its_weight_in_any_full_cycle() {
        let endpoints = [100, 200, 300].map(Endpoint::weighing);
        assert_eq!(counts(Strategy::RoundRobin, &endpoints, 6), [1, 2, 3]);
        assert_eq!(counts(Strategy::RoundRobin, &endpoints, 600), [100, 200, 300]);
    }

    #[test]
    fn round_robin_over_many_endpoints_takes_turns() {
        let endpoints = vec![Endpoint::weighing(100); 100];
        assert_eq!(counts(Strategy::RoundRobin, &endpoints, 300), [3; 100]);
    }

    #[test]
    fn an_endpoint_that_does_not_admit_leaves_the_others_their_proportions() {
        let mut endpoints = [100, 300, 200].map(Endpoint::weighing);
        endpoints[1].admits = false;
        assert_eq!(counts(Strategy::RoundRobin, &endpoints, 300), [100, 0, 200]);
    }

    #[test]
    fn many_that_start_together_do_not_begin_with_the_same_endpoint() {
        let endpoints = [100; 4].map(Endpoint::weighing);
        let mut firsts = [0; 4];
        for seed in 0..400 {
            let balancer = balancer(Strategy::RoundRobin, &endpoints, seed);
            firsts[balancer.pick(&endpoints, &mut Dice::seeded(0)).unwrap()] += 1;
        }
        assert!(firsts.iter().all(|&times| times > 50), "{firsts:?}");
    }

    #[test]
    fn threads_together_keep_the_turns() {
        let endpoints = [100, 200, 300].map(Endpoint::weighing);
        let balancer = balancer(Strategy::RoundRobin, &endpoints, 5);
        let counts = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..3)
                .map(|seed| {
                    let (balancer, endpoints) = (&balancer, &endpoints);
                    scope.spawn(move || {
                        let mut dice = Dice::seeded(seed);
                        let mut counts = [0; 3];
                        for _ in 0..2_000 {
                            counts[balancer.pick(endpoints, &mut dice).unwrap()] += 1;
                        }
                        counts
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .fold([0; 3], |sum, part| core::array::from_fn(|index| sum[index] + part[index]))
        });
        assert_eq!(counts, [1_000, 2_000, 3_000]);
    }

    #[test]
    fn a_second_attempt_goes_elsewhere_or_nowhere() {
        let endpoints = [100, 100].map(Endpoint::weighing);
        let mut dice = Dice::seeded(1);
        for strategy in Strategy::ALL {
            let balancer = balancer(strategy, &endpoints, 5);
            for _ in 0..50 {
                let tried = balancer.pick(&endpoints, &mut dice).unwrap();
                let next = balancer.pick_where(&endpoints, |index| index != tried, &mut dice);
                assert_eq!(next, Some(1 - tried));
                assert_eq!(balancer.pick_where(&endpoints, |_| false, &mut dice), None);
            }
        }
    }

    fn endpoints() -> impl Generator<Value = Vec<Endpoint>> {
        let endpoint =
            (0_u64..5, 1_u16..1_200, any::<bool>()).prop_map(|(load, weight, admits)| Endpoint {
                load,
                weight: Weight::hundredths(weight),
                admits,
            });
        proptest::collection::vec(endpoint, 0..60)
    }

    proptest! {
        #[test]
        fn only_an_endpoint_that_admits_is_picked_and_one_is_if_any_does(
            endpoints in endpoints(),
            seed in any::<u64>(),
        ) {
            let mut dice = Dice::seeded(seed);
            let any_admits = endpoints.iter().any(|endpoint| endpoint.admits);
            for strategy in Strategy::ALL {
                let balancer = balancer(strategy, &endpoints, seed);
                for _ in 0..20 {
                    let picked = balancer.pick(&endpoints, &mut dice);
                    prop_assert_eq!(picked.is_some(), any_admits);
                    prop_assert!(picked.is_none_or(|index| endpoints[index].admits));
                }
            }
        }
    }
}
