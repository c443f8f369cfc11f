//! The answers to a call that asks to be let through.

use core::time::Duration;

/// The leave to make one call; must be recorded or cancelled.
///
/// It names the phase it was given in: a result that arrives in a later one changes nothing. It
/// has no destructor, so whoever may be dropped holds it in a guard that cancels.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a permit that is neither recorded nor cancelled keeps its place as a trial"]
pub struct Permit {
    pub(super) generation: u32,
    pub(super) trial: bool,
}

impl Permit {
    /// Whether this call is one of the few that decide about closing.
    #[must_use]
    pub const fn is_trial(&self) -> bool {
        self.trial
    }

    /// Spends it: its phase, and whether it was a trial.
    #[inline]
    pub(super) const fn spend(self) -> (u32, bool) {
        (self.generation, self.trial)
    }

    /// The number of the phase it was given in.
    #[must_use]
    pub const fn generation(&self) -> u32 {
        self.generation
    }
}

/// The refusal of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rejected {
    /// Why.
    pub reason: RejectedReason,
    /// When asking again may help.
    pub retry_after: Duration,
}

/// Why a call was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RejectedReason {
    /// The breaker is open.
    Open,
    /// All trials are taken.
    TrialBusy,
    /// An operator holds it open.
    ForcedOpen,
    /// The ramp admits only a share, and luck was against this call.
    Ramp,
}

impl RejectedReason {
    /// Every reason, in the order of their declaration.
    pub const ALL: [Self; 4] = [Self::Open, Self::TrialBusy, Self::ForcedOpen, Self::Ramp];

    /// The word used in metrics, logs and JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::TrialBusy => "trial_busy",
            Self::ForcedOpen => "forced_open",
            Self::Ramp => "ramp",
        }
    }
}

impl core::fmt::Display for Rejected {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let why = match self.reason {
            RejectedReason::Open => "the circuit breaker is open",
            RejectedReason::TrialBusy => "the circuit breaker is waiting for its trials",
            RejectedReason::ForcedOpen => "the circuit breaker is held open by an operator",
            RejectedReason::Ramp => "the circuit breaker admits only a share while it recovers",
        };
        formatter.write_str(why)
    }
}

impl core::error::Error for Rejected {}

/// What a breaker would answer, without asking it for a permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Admission {
    /// A call is let through; during the ramp luck may still refuse it.
    Freely,
    /// A call is let through as a trial.
    AsTrial,
    /// A call is refused.
    No,
}
