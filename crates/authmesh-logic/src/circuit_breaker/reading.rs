//! What a breaker says of itself when it is looked at.

use super::state::{Counts, State};
use super::transition::Transition;

/// One look at a breaker: its state, and the evidence of that very phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The state.
    pub state: State,
    /// What a closed breaker judges by, or the trials of a half-open one.
    pub counts: Counts,
    /// How time alone brought this state about, if nobody was told of it: the next call will be.
    pub untold: Option<Transition>,
    /// How many results came after their phase was over, since the beginning, modulo 2³².
    pub stale_results: u64,
}
