//! The words of health: what a check found, what many conclude, and why.

use crate::Moment;

/// What checks conclude of an instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// No check has answered yet. It counts as usable: a mesh that starts does not refuse
    /// everything until it has looked around.
    #[default]
    Unknown,
    /// It answers as it should.
    Healthy,
    /// It does not.
    Unhealthy,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 3] = [Self::Unknown, Self::Healthy, Self::Unhealthy];

    /// Whether an instance with this verdict may take requests.
    #[must_use]
    pub const fn is_usable(self) -> bool {
        matches!(self, Self::Unknown | Self::Healthy)
    }

    /// The word used in metrics, logs and JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
        }
    }
}

/// What one check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CheckResult {
    /// The instance answered as it should.
    Pass,
    /// It did not.
    Fail(CheckFailure),
}

/// In what way a check failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CheckFailure {
    /// Nobody listens at the address.
    Refused,
    /// The address cannot be reached.
    Unreachable,
    /// No answer within the policy's time.
    Timeout,
    /// The connection broke before the answer was whole.
    Reset,
    /// TLS failed, or the peer proved another identity than the one expected.
    Identity,
    /// The answer was no lawful one.
    Malformed,
    /// The answer was lawful, but with a status that the policy does not expect.
    Status(u16),
    /// Too many requests in a row failed; no check was needed.
    Traffic,
}

impl CheckFailure {
    /// The word used in metrics, logs and JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::Reset => "reset",
            Self::Identity => "identity",
            Self::Malformed => "malformed",
            Self::Status(_) => "status",
            Self::Traffic => "traffic",
        }
    }
}

/// What a verdict rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// No check has answered yet.
    NotYetChecked,
    /// Enough checks passed, the last one included.
    Passed,
    /// Enough checks failed, the last one in this way.
    Failed(CheckFailure),
}

/// A verdict that changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// What was concluded before.
    pub from: Verdict,
    /// What is concluded now.
    pub to: Verdict,
    /// When.
    pub at: Moment,
    /// What the new verdict rests on.
    pub why: Why,
}
