//! The basic breaker: opens after so many failures in a row.

use super::command::Command;
use super::machine::{Machine, Standing};
use super::permit::{Admission, Permit, Rejected};
use super::policy::Policy;
use super::run::{Effect, Run};
use super::state::{Cause, Counts, State, Transition};
use super::word::Kind;
use crate::outcome::{Outcome, OutcomeKind};
use crate::{Dice, Lane, Moment};

/// A circuit breaker that counts failures in a row, and nothing else.
///
/// Of the policy it heeds `consecutive_failures`, the wait, the trials and the ramp. Without
/// `consecutive_failures` it opens only on an operator's command. A success while nothing is wrong
/// costs two loads and writes nothing.
#[derive(Debug)]
pub struct CircuitBreaker {
    machine: Machine,
    run: Run,
}

impl CircuitBreaker {
    /// A closed breaker. Its jitter is drawn from `dice`, its time counts from `epoch`.
    #[must_use]
    pub fn new(dice: &mut Dice, epoch: Moment) -> Self {
        Self { machine: Machine::new(dice, epoch), run: Run::new() }
    }

    /// Asks to make one call.
    ///
    /// # Errors
    /// The refusal says why and when asking again may help.
    pub fn try_acquire(
        &self,
        policy: &Policy,
        _lane: Lane,
        dice: &mut Dice,
        now: Moment,
    ) -> (Result<Permit, Rejected>, Option<Transition>) {
        self.machine.try_acquire(policy, dice, now)
    }

    /// Tells how the call ended.
    pub fn record(
        &self,
        policy: &Policy,
        _lane: Lane,
        permit: Permit,
        outcome: Outcome,
        now: Moment,
    ) -> Option<Transition> {
        let word = self.machine.word();
        let (generation, _) = permit.spend();
        if word.kind() != Kind::Closed || word.generation() != generation {
            match self.machine.standing(policy, generation, now) {
                Standing::Evidence => {}
                Standing::Trial => {
                    return self.machine.judge_outcome(policy, generation, outcome, now);
                }
                Standing::Ignored => return None,
                Standing::Stale(transition) => return transition,
            }
        }
        match outcome.kind {
            OutcomeKind::Success | OutcomeKind::Denied => {
                self.run.end(generation);
                None
            }
            OutcomeKind::Throttled | OutcomeKind::Neutral => None,
            OutcomeKind::Failure => {
                let is_current = || self.machine.word().generation() == generation;
                let Some(tally) = self.run.add(generation, Effect::Extends, 1, is_current) else {
                    self.machine.count_stale();
                    return None;
                };
                if !policy.runs_out(tally.run) {
                    return None;
                }
                let evidence = in_a_row(tally.run);
                self.machine.trip(policy, generation, Cause::ConsecutiveFailures, evidence, now)
            }
        }
    }

    /// Gives back the permit of a call that says nothing; a trial's place is free again.
    pub fn cancel(&self, permit: Permit) {
        self.machine.cancel(permit);
    }

    /// The state now. Changes nothing.
    #[must_use]
    pub fn state(&self, policy: &Policy, now: Moment) -> State {
        self.machine.state(policy, now)
    }

    /// The evidence now: the failures in a row, or the trials of a half-open phase. Changes
    /// nothing.
    #[must_use]
    pub fn counts(&self, policy: &Policy, now: Moment) -> Counts {
        let word = self.machine.settled_word(policy, now);
        match word.kind() {
            Kind::HalfOpen => word.trials().counts(),
            _ => in_a_row(self.run.tally(word.generation()).run),
        }
    }

    /// What a call would be answered now. Changes nothing.
    #[must_use]
    pub fn would_admit(&self, policy: &Policy, now: Moment) -> Admission {
        self.machine.would_admit(policy, now)
    }

    /// Obeys an operator. `None` where [`Command::HalfOpen`] finds the breaker closed.
    pub fn command(&self, policy: &Policy, command: Command, now: Moment) -> Option<Transition> {
        self.machine.command(policy, command, now)
    }

    /// When the operator's command that holds now runs out, if it does.
    #[must_use]
    pub fn command_expires(&self) -> Option<Moment> {
        self.machine.command_expires()
    }

    /// How many results came after their phase was over, since the beginning.
    #[must_use]
    pub fn stale_results(&self) -> u64 {
        self.machine.stale()
    }
}

/// Failures in a row are all that this breaker has seen.
fn in_a_row(run: u32) -> Counts {
    let failures = u64::from(run);
    Counts { total: failures, failures, consecutive_failures: run, ..Counts::default() }
}
