//! The advanced breaker: opens on any of several trips, over a window of time or of calls.

use alloc::boxed::Box;

use super::burn_rate::BurnWindows;
use super::command::Command;
use super::evidence::Entry;
use super::face::face;
use super::machine::{Machine, Standing};
use super::permit::{Admission, Permit, Rejected};
use super::policy::Policy;
use super::reading::Reading;
use super::state::{Cause, Counts, State};
use super::transition::Transition;
use super::window::{Place, Window};
use super::word::{Kind, Word};
use crate::outcome::{Outcome, OutcomeKind};
use crate::{Dice, Lane, Moment};

/// A circuit breaker with every trip of the policy.
///
/// The size of its window is that of the policy it was built with; all else is read from the policy
/// handed in with each call, so a changed policy keeps state and evidence.
#[derive(Debug)]
pub struct AdvancedCircuitBreaker {
    machine: Machine,
    window: Window,
    /// Only where the policy it was built with has the trip.
    burn: Option<Box<BurnWindows>>,
}

impl AdvancedCircuitBreaker {
    /// A closed breaker with one set of counters for each of `shards` workers, at most 64. Its
    /// jitter is drawn from `dice`, its time counts from `epoch`. Nothing is allocated later.
    #[must_use]
    pub fn new(policy: &Policy, shards: usize, dice: &mut Dice, epoch: Moment) -> Self {
        Self::around(Machine::new(dice, epoch), policy, shards)
    }

    /// A breaker with windows of the size that `policy` asks for, in the phase of this one: open
    /// stays open, a command holds on, calls under way count, and so does what was seen, as far as
    /// it is not older than the new windows reach. Only a window over time that becomes one over
    /// calls, or the other way round, begins empty.
    #[must_use]
    pub fn resized(&self, policy: &Policy, shards: usize, now: Moment) -> Self {
        let resized = Self::around(self.machine.successor(), policy, shards);
        let (generation, since) = (resized.machine.generation(), self.machine.epoch().since(now));
        resized.window.inherit(&self.window, generation, since);
        if let (Some(burn), Some(old)) = (&resized.burn, &self.burn) {
            burn.inherit(old, generation, since);
        }
        resized
    }

    fn around(machine: Machine, policy: &Policy, shards: usize) -> Self {
        let burn = policy.burn_rate.map(|trip| Box::new(BurnWindows::new(&trip, shards)));
        Self { machine, window: Window::new(policy.window, shards), burn }
    }

    /// Enters a result as evidence, and opens the breaker if that is enough.
    #[inline]
    fn gather(
        &self,
        policy: &Policy,
        generation: u32,
        lane: Lane,
        outcome: Outcome,
        now: Moment,
    ) -> Option<Transition> {
        let says_something = outcome.slow || outcome.kind != OutcomeKind::Neutral;
        if outcome.kind == OutcomeKind::Throttled || !says_something {
            return None;
        }
        let entry = Entry {
            failure: outcome.kind == OutcomeKind::Failure,
            slow: outcome.slow,
            denied: outcome.kind == OutcomeKind::Denied,
        };
        let Some((place, run)) = self.enter(generation, lane, outcome.kind, entry, now) else {
            self.machine.count_stale();
            return None;
        };
        let place = place?;
        if entry.bad() == 0 && self.window.spares(place) {
            return None;
        }
        let transition = self.judge(policy, generation, place, run, now);
        transition.or_else(|| self.judge_burn(policy, generation, entry, now))
    }

    /// Enters a result into the windows, if it counts there, and into the run of failures; `None`
    /// if the phase is over.
    #[inline]
    fn enter(
        &self,
        generation: u32,
        lane: Lane,
        kind: OutcomeKind,
        entry: Entry,
        now: Moment,
    ) -> Option<(Option<Place>, u32)> {
        let since = self.machine.epoch().since(now);
        let is_current = || self.machine.is_current(generation);
        let place = if !entry.denied || self.admits_denial(generation, since) {
            if let Some(burn) = &self.burn {
                burn.add(generation, lane, entry, since, is_current)?;
            }
            Some(self.window.add(generation, lane, entry, since, is_current)?)
        } else {
            None
        };
        Some((place, self.follow_run(generation, kind)?))
    }

    /// Whether the window has room for one more denial.
    fn admits_denial(&self, generation: u32, since: u64) -> bool {
        self.window.counts(generation, since).is_some_and(|counts| counts.admits_denial())
    }

    /// The run of failures after a result of this kind; `None` if the phase is over.
    #[inline]
    fn follow_run(&self, generation: u32, kind: OutcomeKind) -> Option<u32> {
        match kind {
            OutcomeKind::Failure => self.machine.extend_run(generation),
            OutcomeKind::Success | OutcomeKind::Denied => {
                self.machine.end_run(generation);
                Some(0)
            }
            // Abandoned while slow: it proves neither life nor a failure.
            OutcomeKind::Neutral | OutcomeKind::Throttled => Some(self.machine.run(generation)),
        }
    }

    /// Opens the breaker if the evidence trips it. The run is that which this result made: a success
    /// that ends it a moment later does not undo it.
    #[inline(never)]
    fn judge(
        &self,
        policy: &Policy,
        generation: u32,
        place: Place,
        run: u32,
        now: Moment,
    ) -> Option<Transition> {
        let since = self.machine.epoch().since(now);
        let counts = self.window.judge(generation, since, place, |counts| policy.slack(counts));
        let evidence = Counts { consecutive_failures: run, ..counts };
        let cause = policy.tripped_by(&evidence)?;
        self.machine.trip(policy, generation, cause, evidence, now)
    }

    /// Opens the breaker if a failure used up the last of what its objective allows.
    fn judge_burn(
        &self,
        policy: &Policy,
        generation: u32,
        entry: Entry,
        now: Moment,
    ) -> Option<Transition> {
        let (burn, trip) = (self.burn.as_ref()?, policy.burn_rate.as_ref()?);
        if !entry.failure {
            return None;
        }
        let evidence = burn.tripping(trip, generation, self.machine.epoch().since(now))?;
        self.machine.trip(policy, generation, Cause::BurnRate, evidence, now)
    }

    fn evidence(&self, generation: u32, now: Moment) -> Counts {
        let since = self.machine.epoch().since(now);
        let counts = self.window.counts(generation, since).unwrap_or_default();
        Counts { consecutive_failures: self.machine.run(generation), ..counts }
    }
}

face!(AdvancedCircuitBreaker);
