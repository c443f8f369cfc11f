//! What a breaker says of itself: its state, its evidence, and how one state became another.

use crate::Moment;

/// The state of a breaker, as it is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Everything is let through.
    Closed,
    /// Closed again after an outage; the admitted share climbs to all.
    Recovering,
    /// Everything is refused; from `until` on the next call is let through as a trial.
    Open {
        /// When the refusing ends.
        until: Moment,
    },
    /// A few trials are let through, and decide.
    HalfOpen,
    /// An operator refuses everything.
    ForcedOpen,
    /// An operator lets everything through and nothing is counted.
    Disabled,
    /// An operator lets everything through; results are counted but never open it.
    MetricsOnly,
}

impl State {
    /// The word of each state, in the order of their declaration, for one-hot metrics.
    pub const WORDS: [&'static str; 7] =
        ["closed", "recovering", "open", "half_open", "forced_open", "disabled", "metrics_only"];

    /// Its place in [`Self::WORDS`].
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::Closed => 0,
            Self::Recovering => 1,
            Self::Open { .. } => 2,
            Self::HalfOpen => 3,
            Self::ForcedOpen => 4,
            Self::Disabled => 5,
            Self::MetricsOnly => 6,
        }
    }

    /// The word used in metrics, logs and JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        Self::WORDS[self.index()]
    }
}

/// The results a breaker judges by: of the window while closed, of the trials while half-open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Counts {
    /// Results that count; denials only up to the number of successes.
    pub total: u64,
    /// Of `total`, the failures.
    pub failures: u64,
    /// Of `total`, the slow ones, whatever their result.
    pub slow: u64,
    /// Of `total`, the denials.
    pub denied: u64,
    /// The failures since the last success or denial; 0 while half-open.
    pub consecutive_failures: u32,
}

impl Counts {
    /// The results that are not failures, denials among them.
    #[must_use]
    pub const fn successes(&self) -> u64 {
        self.total.saturating_sub(self.failures)
    }

    /// Whether one more denial may count: no more of them than of other successes, so that a flood
    /// of wrong passwords cannot dilute the failure rate.
    #[must_use]
    pub const fn admits_denial(&self) -> bool {
        self.denied < self.successes().saturating_sub(self.denied)
    }
}

/// Why a state became another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// Too many failures in a row.
    ConsecutiveFailures,
    /// Too many failures in the window.
    FailuresInWindow,
    /// Too large a share of failures.
    FailureRate,
    /// Too large a share of slow calls.
    SlowRate,
    /// Failures used up what an objective allows too fast.
    BurnRate,
    /// The wait ended and a call asked.
    WaitEnded,
    /// Enough trials passed.
    TrialsPassed,
    /// Too many trials failed.
    TrialsFailed,
    /// The trials took too long.
    TrialLimit,
    /// The ramp reached all.
    RampEnded,
    /// An operator's command.
    Operator,
    /// An operator's command ran out.
    CommandExpired,
}

impl Cause {
    /// Whether time alone brought the change about, at a moment of its own, however much later the
    /// next call came.
    #[must_use]
    pub const fn is_time(self) -> bool {
        matches!(self, Self::TrialLimit | Self::RampEnded | Self::CommandExpired)
    }

    /// The word used in metrics, logs and JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::ConsecutiveFailures => "consecutive_failures",
            Self::FailuresInWindow => "failures_in_window",
            Self::FailureRate => "failure_rate",
            Self::SlowRate => "slow_rate",
            Self::BurnRate => "burn_rate",
            Self::WaitEnded => "wait_ended",
            Self::TrialsPassed => "trials_passed",
            Self::TrialsFailed => "trials_failed",
            Self::TrialLimit => "trial_limit",
            Self::RampEnded => "ramp_ended",
            Self::Operator => "operator",
            Self::CommandExpired => "command_expired",
        }
    }
}
