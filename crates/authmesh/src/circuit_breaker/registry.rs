//! Breakers by key, for programs that call many dependencies.

use std::sync::{Mutex, MutexGuard, PoisonError};

use authmesh_logic::circuit_breaker::BreakerRegistry;
pub use authmesh_logic::circuit_breaker::Crowded;

use super::breaker::AdvancedCircuitBreaker;
use super::counters::CircuitBreakerMetrics;
use super::{Counts, Policy, State};
use crate::clock::Clock;

/// Breakers by key, made at their first use.
///
/// There are at most as many as it was built for. One that is at rest (closed, without evidence,
/// held by nobody) makes room for a new key; one that is open never does. Keys come from the
/// program or its configuration: a key that callers choose lets them fill it.
#[derive(Debug)]
pub struct CircuitBreakers {
    policy: Policy,
    breakers: Mutex<BreakerRegistry<String, AdvancedCircuitBreaker>>,
}

impl CircuitBreakers {
    /// At most `most` breakers, all by this policy.
    #[must_use]
    pub fn new(policy: Policy, most: usize) -> Self {
        Self { policy, breakers: Mutex::new(BreakerRegistry::new(most)) }
    }

    /// The breaker of a key.
    ///
    /// # Errors
    /// As many are in use as there may be.
    pub fn breaker(&self, key: &str) -> Result<AdvancedCircuitBreaker, Crowded> {
        let mut breakers = self.lock();
        let make = || AdvancedCircuitBreaker::new(self.policy.clone());
        breakers.get_or_insert(key.to_owned(), Clock.now(), is_at_rest, make).cloned()
    }

    /// What each has seen, by key. Asking changes nothing, not even who makes room next.
    #[must_use]
    pub fn metrics(&self) -> Vec<(String, CircuitBreakerMetrics)> {
        let breakers = self.lock();
        breakers.iter().map(|(key, breaker)| (key.clone(), breaker.metrics())).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BreakerRegistry<String, AdvancedCircuitBreaker>> {
        self.breakers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_at_rest(breaker: &AdvancedCircuitBreaker) -> bool {
    let metrics = breaker.metrics();
    metrics.state == State::Closed && metrics.counts == Counts::default() && !breaker.is_held()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::circuit_breaker::Command;

    #[test]
    fn a_breaker_that_is_open_held_or_has_evidence_is_not_forgotten() {
        let breakers = CircuitBreakers::new(Policy::default(), 3);
        breakers.breaker("open").unwrap().command(Command::ForceOpen(None));
        breakers.breaker("failing").unwrap().try_acquire().unwrap().failure();
        let held = breakers.breaker("held").unwrap();
        assert_eq!(breakers.breaker("new").err(), Some(Crowded));
        assert_eq!(breakers.breaker("open").unwrap().state(), State::ForcedOpen);
        drop(held);
        assert!(breakers.breaker("new").is_ok(), "what nobody holds makes room");
        let keys: Vec<_> = breakers.metrics().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["failing", "new", "open"]);
    }
}
