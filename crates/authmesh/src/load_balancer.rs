//! Load balancing: spreads requests over endpoints.
//!
//! [`LoadBalancer`] works alone, over endpoints of your own (addresses, pools, clients): no mesh,
//! no task, no thread.
#![doc = concat!("```\n", include_str!("../examples/load_balancer.rs"), "```")]

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};

use arc_swap::ArcSwap;
use authmesh_logic::discovery::Weight;
use authmesh_logic::load_balancer::{Candidate, LoadBalancer as Chooser};
pub use authmesh_logic::load_balancer::{Policy, Strategy};

use crate::luck::with_dice;

/// Chooses among endpoints of any kind, and counts what each has in flight.
///
/// Cheap to clone; clones share everything.
pub struct LoadBalancer<T> {
    shared: Arc<Shared<T>>,
}

struct Shared<T> {
    policy: Policy,
    endpoints: Box<[Arc<Endpoint<T>>]>,
    chooser: ArcSwap<Chooser>,
}

/// On cache lines of its own: workers count different endpoints at the same time.
#[repr(align(64))]
struct Endpoint<T> {
    weight: AtomicU16,
    in_flight: AtomicU64,
    picks: AtomicU64,
    value: T,
}

/// An endpoint lent out for one request, which counts as in flight there until this is dropped.
#[must_use = "the request counts as in flight only while this lives"]
pub struct Picked<T> {
    endpoint: Arc<Endpoint<T>>,
    index: usize,
}

/// What a load balancer has done and what is in flight, at one reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadBalancerMetrics {
    /// How endpoints are chosen.
    pub strategy: Strategy,
    /// Each endpoint, in the order in which they were given.
    pub endpoints: Vec<EndpointMetrics>,
}

/// One endpoint's part of [`LoadBalancerMetrics`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndpointMetrics {
    /// Its share.
    pub weight: Weight,
    /// How often it was picked.
    pub picks: u64,
    /// How many of these picks still live.
    pub in_flight: u64,
}

impl<T> LoadBalancer<T> {
    /// A balancer over these endpoints. Their number and order stay; their weights may change.
    #[must_use]
    pub fn new(policy: Policy, endpoints: Vec<(T, Weight)>) -> Self {
        let endpoints: Box<[_]> = endpoints
            .into_iter()
            .map(|(value, weight)| {
                Arc::new(Endpoint {
                    weight: AtomicU16::new(weight.as_hundredths()),
                    in_flight: AtomicU64::new(0),
                    picks: AtomicU64::new(0),
                    value,
                })
            })
            .collect();
        let chooser = ArcSwap::from_pointee(chooser(policy, &endpoints));
        Self { shared: Arc::new(Shared { policy, endpoints, chooser }) }
    }

    /// The endpoint for the next request; `None` only if there are no endpoints.
    pub fn pick(&self) -> Option<Picked<T>> {
        let chooser = self.shared.chooser.load();
        let index = with_dice(|dice| chooser.pick(&self.shared.endpoints, dice))?;
        let endpoint = Arc::clone(self.shared.endpoints.get(index)?);
        // Relaxed, as all counts here: a choice made on a count that is a moment old is as good.
        endpoint.in_flight.fetch_add(1, Ordering::Relaxed);
        endpoint.picks.fetch_add(1, Ordering::Relaxed);
        Some(Picked { endpoint, index })
    }

    /// Gives the endpoint at `index` another weight; `false` if there is no such endpoint.
    pub fn set_weight(&self, index: usize, weight: Weight) -> bool {
        let Some(endpoint) = self.shared.endpoints.get(index) else { return false };
        endpoint.weight.store(weight.as_hundredths(), Ordering::Relaxed);
        // Two that change weights at once: whoever publishes last has seen both.
        self.shared.chooser.rcu(|_| chooser(self.shared.policy, &self.shared.endpoints));
        true
    }

    /// What was picked so far, and what is in flight now.
    #[must_use]
    pub fn metrics(&self) -> LoadBalancerMetrics {
        let endpoints = self.shared.endpoints.iter().map(|endpoint| EndpointMetrics {
            weight: endpoint.weight(),
            picks: endpoint.picks.load(Ordering::Relaxed),
            in_flight: endpoint.load(),
        });
        LoadBalancerMetrics {
            strategy: self.shared.policy.strategy,
            endpoints: endpoints.collect(),
        }
    }
}

impl<T> Clone for LoadBalancer<T> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<T> fmt::Debug for LoadBalancer<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LoadBalancer").field("metrics", &self.metrics()).finish()
    }
}

impl<T> Picked<T> {
    /// Which endpoint it is, in the order in which they were given.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }
}

impl<T> Deref for Picked<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.endpoint.value
    }
}

impl<T> Drop for Picked<T> {
    fn drop(&mut self) {
        self.endpoint.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<T: fmt::Debug> fmt::Debug for Picked<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Picked").field(&**self).finish()
    }
}

impl<T> Candidate for Endpoint<T> {
    fn load(&self) -> u64 {
        self.in_flight.load(Ordering::Relaxed)
    }

    fn weight(&self) -> Weight {
        Weight::hundredths(self.weight.load(Ordering::Relaxed))
    }

    fn admits(&self) -> bool {
        true
    }
}

fn chooser<T>(policy: Policy, endpoints: &[Arc<Endpoint<T>>]) -> Chooser {
    with_dice(|dice| Chooser::new(policy, endpoints.iter().map(Candidate::weight), dice))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn balancer(strategy: Strategy, weights: &[u16]) -> LoadBalancer<usize> {
        let endpoints =
            weights.iter().map(|&weight| Weight::hundredths(weight)).enumerate().collect();
        LoadBalancer::new(Policy { strategy }, endpoints)
    }

    fn picks(balancer: &LoadBalancer<usize>) -> Vec<u64> {
        balancer.metrics().endpoints.iter().map(|endpoint| endpoint.picks).collect()
    }

    #[test]
    fn a_request_is_in_flight_while_its_guard_lives_even_in_another_thread() {
        let balancer = balancer(Strategy::LeastLoaded, &[100, 100]);
        let (one, other) = (balancer.pick().unwrap(), balancer.pick().unwrap());
        assert_ne!(one.index(), other.index());
        assert_eq!(*one, one.index());
        let in_flight = || -> u64 {
            balancer.metrics().endpoints.iter().map(|endpoint| endpoint.in_flight).sum()
        };
        assert_eq!(in_flight(), 2);
        std::thread::spawn(move || drop(one)).join().unwrap();
        assert_eq!(in_flight(), 1);
        drop(other);
        assert_eq!(in_flight(), 0);
        assert_eq!(picks(&balancer), [1, 1]);
    }

    #[test]
    fn a_new_weight_holds_for_the_next_cycle() {
        let balancer = balancer(Strategy::RoundRobin, &[100, 100]);
        for _ in 0..10 {
            drop(balancer.pick());
        }
        assert_eq!(picks(&balancer), [5, 5]);
        assert!(balancer.set_weight(1, Weight::hundredths(400)));
        for _ in 0..10 {
            drop(balancer.pick());
        }
        assert_eq!(picks(&balancer), [7, 13]);
        assert!(!balancer.set_weight(2, Weight::ONE));
    }

    #[test]
    fn weights_changed_by_many_threads_are_all_in_force_at_the_end() {
        let balancer = balancer(Strategy::RoundRobin, &[100; 4]);
        std::thread::scope(|scope| {
            for index in 0..4 {
                let balancer = &balancer;
                scope.spawn(move || {
                    for hundredths in (100..=400).step_by(100) {
                        balancer.set_weight(index, Weight::hundredths(hundredths));
                    }
                });
            }
        });
        balancer.set_weight(0, Weight::ONE);
        for _ in 0..130 {
            drop(balancer.pick());
        }
        assert_eq!(picks(&balancer), [10, 40, 40, 40]);
    }

    #[test]
    fn nothing_is_picked_where_there_is_nothing() {
        for strategy in Strategy::ALL {
            assert!(balancer(strategy, &[]).pick().is_none());
        }
    }
}
