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

impl Command {
    /// The word used in logs and JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::OpenFor(_) => "open_for",
            Self::HalfOpen => "half_open",
            Self::Close => "reset",
            Self::ForceOpen(_) => "force_open",
            Self::Disable(_) => "disable",
            Self::Shadow(_) => "shadow",
        }
    }

    /// How long it holds, if that is said.
    #[must_use]
    pub const fn lasts(self) -> Option<Duration> {
        match self {
            Self::OpenFor(time) => Some(time),
            Self::ForceOpen(time) | Self::Disable(time) | Self::Shadow(time) => time,
            Self::Open | Self::HalfOpen | Self::Close => None,
        }
    }
}
