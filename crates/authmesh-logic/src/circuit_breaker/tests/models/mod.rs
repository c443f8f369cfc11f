//! Every interleaving of a few calls on the shipped breaker, as loom runs them.
//!
//! Each model holds for the breaker as it is and fails for the faults that are its to notice.

mod evidence;
mod trials;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::vec::Vec;

use loom::sync::Arc;
use loom::thread;

use super::*;
use crate::circuit_breaker::Cause;
use crate::mutant::{Mutant, plant};

/// How often threads are interrupted where they could go on, at most: two threads, three threads.
const PREEMPTIONS: [usize; 2] = [4, 2];

/// Explores the model, with the breaker as it is and with each fault that it must notice.
fn explore(faults: &[Mutant], model: fn()) {
    let [preemptions, _] = PREEMPTIONS;
    check(preemptions, model);
    for &fault in faults {
        plant(Some(fault));
        let noticed = catch_unwind(AssertUnwindSafe(|| check(preemptions, model))).is_err();
        plant(None);
        assert!(noticed, "{fault:?} went unnoticed");
    }
}

fn check(preemptions: usize, model: fn()) {
    let mut explorer = loom::model::Builder::new();
    explorer.preemption_bound = Some(preemptions);
    explorer.max_branches = 10_000;
    explorer.check(model);
}

/// A breaker that many threads share, with the policy and the moment of each call handed in.
#[derive(Clone)]
struct Shared(Arc<AdvancedCircuitBreaker>);

/// Two buckets of a second; trips at two failures in a row or in the window; one trial.
fn small() -> Policy {
    Policy {
        consecutive_failures: None,
        failures_in_window: None,
        failure_rate: None,
        window: Window::Time { length: Duration::from_secs(2), buckets: 2 },
        trials: 1,
        closes_at: 1,
        ..policy()
    }
}

fn all_of(minimum_calls: u32) -> Option<RateTrip> {
    Some(RateTrip { threshold: Ratio::percent(100), minimum_calls })
}

const fn at(seconds: u64) -> Moment {
    Moment::from_millis(seconds * 1_000)
}

impl Shared {
    fn new(policy: &Policy, shards: usize) -> Self {
        let dice = &mut Dice::seeded(1);
        Self(Arc::new(AdvancedCircuitBreaker::new(policy, shards, dice, Moment::START)))
    }

    fn ask(&self, policy: &Policy, now: Moment) -> Option<Permit> {
        self.0.try_acquire(policy, Lane::FIRST, &mut Dice::seeded(2), now).0.ok()
    }

    fn tell(
        &self,
        policy: &Policy,
        lane: u16,
        permit: Permit,
        outcome: Outcome,
        now: Moment,
    ) -> Option<Transition> {
        self.0.record(policy, Lane::new(lane), permit, outcome, now)
    }

    fn call(
        &self,
        policy: &Policy,
        lane: u16,
        outcome: Outcome,
        now: Moment,
    ) -> Option<Transition> {
        let permit = self.ask(policy, now)?;
        self.tell(policy, lane, permit, outcome, now)
    }
}

/// Runs two deeds at once; what they gave.
fn both<A: 'static, B>(one: impl FnOnce() -> A + 'static, other: impl FnOnce() -> B) -> (A, B) {
    let one = thread::spawn(one);
    let other = other();
    (one.join().unwrap(), other)
}
