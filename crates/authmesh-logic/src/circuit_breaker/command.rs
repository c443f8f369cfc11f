//! What an operator may tell a breaker.

use core::time::Duration;

/// One command of an operator. Each begins a new phase: results of earlier calls no longer count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// Opens as if it had tripped.
    Open,
    /// Opens for exactly this long.
    OpenFor(Duration),
    /// Lets trials through now; nothing to do where the breaker is closed.
    HalfOpen,
    /// Closes with no evidence, at once and for all calls, and forgets the growth of the wait.
    Close,
    /// Refuses everything, for this long or until another command.
    ForceOpen(Option<Duration>),
    /// Lets everything through and counts nothing, for this long or until another command.
    Disable(Option<Duration>),
    /// Lets everything through and only counts, for this long or until another command.
    Shadow(Option<Duration>),
}
