//! What both breakers promise, row by row and under threads.

mod burn;
mod invariants;
mod table;
mod threads;

#[cfg(authmesh_loom)]
mod models;

use core::time::Duration;

use super::{
    AdvancedCircuitBreaker, Command, Counts, Growth, Jitter, Permit, Policy, RateTrip, Rejected,
    State, Transition, Wait, Window,
};
use crate::outcome::Outcome;
use crate::{Dice, Lane, Moment, Ratio};

/// An advanced breaker with everything that is handed in, for one thread.
struct Bench {
    breaker: AdvancedCircuitBreaker,
    policy: Policy,
    dice: Dice,
    now: Moment,
    last: Option<Transition>,
}

/// Half of at least 4 calls in 10 s or 3 in a row; waits 1 s, 2 s, 4 s; 2 of 3 trials close.
fn policy() -> Policy {
    Policy {
        consecutive_failures: Some(3),
        failures_in_window: None,
        failure_rate: Some(RateTrip { threshold: Ratio::percent(50), minimum_calls: 4 }),
        slow_rate: None,
        burn_rate: None,
        window: Window::Time { length: Duration::from_secs(10), buckets: 10 },
        wait: Wait {
            first: Duration::from_secs(1),
            multiplier: 2,
            longest: Duration::from_secs(4),
            jitter: Jitter::None,
            growth_resets: Growth::OnClose,
        },
        trials: 3,
        closes_at: 2,
        trial_limit: Some(Duration::from_secs(5)),
        ramp: None,
    }
}

impl Bench {
    fn new(policy: Policy) -> Self {
        let mut dice = Dice::seeded(1);
        let now = Moment::from_millis(1_000);
        let breaker = AdvancedCircuitBreaker::new(&policy, 2, &mut dice, now);
        Self { breaker, policy, dice, now, last: None }
    }

    fn after(&mut self, millis: u64) -> &mut Self {
        self.now = self.now + Duration::from_millis(millis);
        self
    }

    fn ask(&mut self) -> Result<Permit, Rejected> {
        let (answer, transition) =
            self.breaker.try_acquire(&self.policy, Lane::FIRST, &mut self.dice, self.now);
        self.last = transition;
        answer
    }

    fn tell(&mut self, permit: Permit, outcome: Outcome) -> &mut Self {
        self.last = self.breaker.record(&self.policy, Lane::FIRST, permit, outcome, self.now);
        self
    }

    fn call(&mut self, outcome: Outcome) -> &mut Self {
        let permit = self.ask().unwrap();
        self.tell(permit, outcome)
    }

    fn calls(&mut self, times: usize, outcome: Outcome) -> &mut Self {
        for _ in 0..times {
            self.call(outcome);
        }
        self
    }

    fn command(&mut self, command: Command) -> &mut Self {
        self.last = self.breaker.command(&self.policy, command, self.now);
        self
    }

    fn state(&self) -> State {
        self.breaker.state(&self.policy, self.now)
    }

    fn counts(&self) -> Counts {
        self.breaker.counts(&self.policy, self.now)
    }
}
