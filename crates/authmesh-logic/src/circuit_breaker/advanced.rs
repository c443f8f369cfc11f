//! The advanced breaker: opens on any of several trips, over a window of time or of calls.

use alloc::boxed::Box;

use super::burn_rate::BurnWindows;
use super::command::Command;
use super::evidence::{Entry, Stamp};
use super::machine::{Machine, Standing};
use super::permit::{Admission, Permit, Rejected};
use super::policy::Policy;
use super::run::{Effect, Run, Tally};
use super::state::{Cause, Counts, State, Transition};
use super::window::Window;
use super::word::Kind;
use crate::outcome::{Outcome, OutcomeKind};
use crate::{Dice, Lane, Moment};

/// A circuit breaker with every trip of the policy.
///
/// The size of its window is that of the policy it was built with; all else is read from the policy
/// handed in with each call, so a changed policy keeps state and evidence.
#[derive(Debug)]
pub struct AdvancedCircuitBreaker {
    machine: Machine,
    run: Run,
    window: Window,
    /// Only where the policy it was built with has the trip.
    burn: Option<Box<BurnWindows>>,
}

impl AdvancedCircuitBreaker {
    /// A closed breaker with one set of counters for each of `shards` workers. Its jitter is drawn
    /// from `dice`, its time counts from `epoch`. Nothing is allocated later.
    #[must_use]
    pub fn new(policy: &Policy, shards: usize, dice: &mut Dice, epoch: Moment) -> Self {
        Self::around(Machine::new(dice, epoch), policy, shards, epoch)
    }

    /// A breaker with windows of the size that `policy` asks for, in the state of this one: open
    /// stays open, a command holds on. What it has seen was counted in another size and is lost.
    #[must_use]
    pub fn resized(&self, policy: &Policy, shards: usize) -> Self {
        Self::around(self.machine.successor(), policy, shards, self.machine.epoch())
    }

    fn around(machine: Machine, policy: &Policy, shards: usize, epoch: Moment) -> Self {
        let burn = policy.burn_rate.map(|trip| Box::new(BurnWindows::new(&trip, shards, epoch)));
        Self { machine, run: Run::new(), window: Window::new(policy.window, shards, epoch), burn }
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
        lane: Lane,
        permit: Permit,
        outcome: Outcome,
        now: Moment,
    ) -> Option<Transition> {
        let (generation, _) = permit.spend();
        let mut word = self.machine.word();
        if word.kind() != Kind::Closed || word.generation() != generation {
            match self.machine.standing(policy, generation, now) {
                Standing::Evidence => word = self.machine.word(),
                Standing::Trial => {
                    return self.machine.judge_outcome(policy, generation, outcome, now);
                }
                Standing::Ignored => return None,
                Standing::Stale(transition) => return transition,
            }
        }
        let says_something = outcome.slow || outcome.kind != OutcomeKind::Neutral;
        if outcome.kind == OutcomeKind::Throttled || !says_something {
            return None;
        }
        let gathered = (word.generation() == generation)
            .then(|| self.gather(word.stamp(), lane, outcome, now))
            .flatten();
        let Some(tally) = gathered else {
            self.machine.count_stale();
            return None;
        };
        let transition = self.judge(policy, word.stamp(), tally, now);
        transition.or_else(|| self.judge_burn(policy, word.stamp(), outcome, now))
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

    /// The evidence now: of the window, or of the trials while half-open. Changes nothing.
    #[must_use]
    pub fn counts(&self, policy: &Policy, now: Moment) -> Counts {
        let word = self.machine.settled_word(policy, now);
        match word.kind() {
            Kind::HalfOpen => word.trials().counts(),
            _ => {
                let run = self.run.tally(word.generation()).run;
                let counts = self.window.counts(word.stamp(), now).unwrap_or_default();
                Counts { consecutive_failures: run, ..counts }
            }
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

    /// Enters a result as evidence. `None` if its phase is over: nothing changed.
    fn gather(&self, stamp: Stamp, lane: Lane, outcome: Outcome, now: Moment) -> Option<Tally> {
        let Stamp { generation, .. } = stamp;
        let (failure, denied, slow) = (
            outcome.kind == OutcomeKind::Failure,
            outcome.kind == OutcomeKind::Denied,
            outcome.slow,
        );
        if denied && !self.window.counts(stamp, now).is_some_and(|counts| counts.admits_denial()) {
            self.run.end(generation);
            return Some(Tally::default());
        }
        let is_current = || self.machine.word().generation() == generation;
        let entry = Entry { failure, slow, denied };
        if !self.window.add(stamp, lane, entry, now, is_current) {
            return None;
        }
        if let Some(burn) = &self.burn {
            burn.add(stamp, lane, entry, now);
        }
        let bad = u64::from(failure) + u64::from(slow);
        match outcome.kind {
            OutcomeKind::Failure => self.run.add(generation, Effect::Extends, bad, is_current),
            // Abandoned while slow: it neither proves life nor a failure.
            OutcomeKind::Neutral => self.run.add(generation, Effect::Keeps, bad, is_current),
            _ if slow => self.run.add(generation, Effect::Ends, bad, is_current),
            _ => Some(self.run.end(generation)),
        }
    }

    /// Opens the breaker if a failure used up the last of what its objective allows.
    fn judge_burn(
        &self,
        policy: &Policy,
        stamp: Stamp,
        outcome: Outcome,
        now: Moment,
    ) -> Option<Transition> {
        let (burn, trip) = (self.burn.as_ref()?, policy.burn_rate.as_ref()?);
        if outcome.kind != OutcomeKind::Failure {
            return None;
        }
        let evidence = burn.tripping(trip, now)?;
        self.machine.trip(policy, stamp.generation, Cause::BurnRate, evidence, now)
    }

    /// Opens the breaker if the evidence trips it.
    fn judge(
        &self,
        policy: &Policy,
        stamp: Stamp,
        tally: Tally,
        now: Moment,
    ) -> Option<Transition> {
        if tally.bad == 0 {
            return None;
        }
        let bad = self.window.at_most_bad(stamp, tally, now);
        if !policy.runs_out(tally.run) && !policy.may_trip_with(bad) {
            return None;
        }
        let counts = self.window.counts(stamp, now)?;
        let evidence = Counts { consecutive_failures: tally.run, ..counts };
        let cause = policy.tripped_by(&evidence)?;
        self.machine.trip(policy, stamp.generation, cause, evidence, now)
    }
}
