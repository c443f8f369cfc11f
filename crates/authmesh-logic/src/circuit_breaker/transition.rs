//! What a breaker tells of its changes of state.

use super::state::{Cause, Counts, State};
use crate::Moment;

/// One change of state, told once, by the call that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Transition {
    /// The state before.
    pub from: State,
    /// The state after.
    pub to: State,
    /// The number of the phase that begins; later ones are higher, modulo 2¹⁹. The end of a ramp
    /// stays in its phase.
    pub generation: u32,
    /// Why.
    pub cause: Cause,
    /// The results it was decided by; zero where time or an operator decided.
    pub evidence: Counts,
    /// When: what time alone brought about is told later, by the next call.
    pub at: Moment,
    /// The change before this one, of which nobody was told.
    pub(super) unseen: Option<Lapse>,
}

/// A change that time alone brought about, into the state which a transition says it left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Lapse {
    pub(super) from: State,
    pub(super) generation: u32,
    pub(super) cause: Cause,
    pub(super) at: Moment,
}

/// A kind of change: from which state to which, by their words, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Move {
    /// The word of the state before.
    pub from: &'static str,
    /// The word of the state after.
    pub to: &'static str,
    /// Why.
    pub cause: Cause,
}

impl Transition {
    /// The changes of state that this call tells of, in their order: this one, and before it one
    /// that time alone brought about while nobody asked, if there was one. A call that comes after
    /// the trial limit and the wait behind it tells that the breaker opened and is half-open again.
    pub fn steps(self) -> impl Iterator<Item = Self> {
        let unseen = self.unseen.map(|lapse| lapse.alone(self.from));
        unseen.into_iter().chain([Self { unseen: None, ..self }])
    }

    /// What kind of change it is.
    #[must_use]
    pub const fn kind(&self) -> Move {
        Move { from: self.from.word(), to: self.to.word(), cause: self.cause }
    }
}

impl Lapse {
    /// What is told of it alone, when this is the state it led to.
    pub(super) fn alone(self, to: State) -> Transition {
        let (Self { from, generation, cause, at }, evidence) = (self, Counts::default());
        Transition { from, to, generation, cause, evidence, at, unseen: None }
    }
}

impl Move {
    /// Every kind that a breaker makes by itself, in the order of the table of states. An operator
    /// may move it from any state to any but `recovering`.
    pub const OWN: [Self; 19] = [
        Self::of("closed", "open", Cause::ConsecutiveFailures),
        Self::of("closed", "open", Cause::FailuresInWindow),
        Self::of("closed", "open", Cause::FailureRate),
        Self::of("closed", "open", Cause::SlowRate),
        Self::of("closed", "open", Cause::BurnRate),
        Self::of("recovering", "open", Cause::ConsecutiveFailures),
        Self::of("recovering", "open", Cause::FailuresInWindow),
        Self::of("recovering", "open", Cause::FailureRate),
        Self::of("recovering", "open", Cause::SlowRate),
        Self::of("recovering", "open", Cause::BurnRate),
        Self::of("open", "half_open", Cause::WaitEnded),
        Self::of("half_open", "recovering", Cause::TrialsPassed),
        Self::of("half_open", "closed", Cause::TrialsPassed),
        Self::of("half_open", "open", Cause::TrialsFailed),
        Self::of("half_open", "open", Cause::TrialLimit),
        Self::of("recovering", "closed", Cause::RampEnded),
        Self::of("forced_open", "closed", Cause::CommandExpired),
        Self::of("disabled", "closed", Cause::CommandExpired),
        Self::of("metrics_only", "closed", Cause::CommandExpired),
    ];

    const fn of(from: &'static str, to: &'static str, cause: Cause) -> Self {
        Self { from, to, cause }
    }
}
