//! When a breaker trips, how long it stays open, and what closes it again.

use core::time::Duration;

use super::burn_rate::BurnTrip;
use crate::Ratio;

/// The settings of one circuit breaker. Every trip that is set may open it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Trips after this many failures without a success or a denial between them.
    pub consecutive_failures: Option<u32>,
    /// Trips at this many failures inside the window.
    pub failures_in_window: Option<u32>,
    /// Trips when the share of failures in the window reaches a threshold.
    pub failure_rate: Option<RateTrip>,
    /// Trips when the share of slow calls in the window reaches a threshold.
    pub slow_rate: Option<SlowTrip>,
    /// Trips when failures use up what an objective allows too fast, over two windows of its own.
    pub burn_rate: Option<BurnTrip>,
    /// Which calls the rates look at.
    pub window: Window,
    /// How long an open breaker refuses before it lets a trial through.
    pub wait: Wait,
    /// How many trials half-open may issue; at least `closes_at`, and at most 511 count.
    pub trials: u32,
    /// How many successful trials close it.
    pub closes_at: u32,
    /// How long half-open may last before it opens again; `None` is without limit.
    pub trial_limit: Option<Duration>,
    /// After closing, how long the admitted share climbs from 10 % to all; `None` is at once.
    pub ramp: Option<Duration>,
}

/// Trips when `threshold` of at least `minimum_calls` calls failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateTrip {
    /// The share that trips, reached at equality.
    pub threshold: Ratio,
    /// The fewest calls in the window to judge by.
    pub minimum_calls: u32,
}

/// Trips when `threshold` of at least `minimum_calls` calls took longer than `slower_than`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlowTrip {
    /// A call is slow when it takes strictly longer than this.
    pub slower_than: Duration,
    /// The share that trips, reached at equality.
    pub threshold: Ratio,
    /// The fewest calls in the window to judge by.
    pub minimum_calls: u32,
}

/// Which calls a rate looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// The calls of the last `length`, counted in `buckets` equal parts of it.
    Time {
        /// How far back the window reaches.
        length: Duration,
        /// Into how many buckets it is divided.
        buckets: u16,
    },
    /// The last `calls` calls.
    Count {
        /// How many calls.
        calls: u32,
    },
}

/// How long an open breaker refuses: `min(longest, first · multiplier^k)` after `k` reopenings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// The wait after the first trip.
    pub first: Duration,
    /// What each further trip multiplies it by; 1 is a constant wait.
    pub multiplier: u32,
    /// The longest wait.
    pub longest: Duration,
    /// How the wait is spread, so that a fleet does not try again in step.
    pub jitter: Jitter,
    /// When the growth is forgotten.
    pub growth_resets: Growth,
}

/// How a wait is spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jitter {
    /// Exactly as computed.
    None,
    /// Half of it, and a random part of the other half.
    Equal,
}

/// When the growth of the wait is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Growth {
    /// As soon as the breaker closes.
    OnClose,
    /// After it has stayed closed this long.
    AfterHealthy(Duration),
}

impl Policy {
    /// The policy meant when none is written: 10 s in 10 buckets, half of at least 20 calls or 5
    /// failures in a row; wait 1 s doubling to 60 s; 3 trials of which 2 close; ramp 10 s.
    #[must_use]
    pub const fn standard() -> Self {
        Self {
            consecutive_failures: Some(5),
            failures_in_window: None,
            failure_rate: Some(RateTrip { threshold: Ratio::percent(50), minimum_calls: 20 }),
            slow_rate: None,
            burn_rate: None,
            window: Window::Time { length: Duration::from_secs(10), buckets: 10 },
            wait: Wait {
                first: Duration::from_secs(1),
                multiplier: 2,
                longest: Duration::from_secs(60),
                jitter: Jitter::Equal,
                growth_resets: Growth::AfterHealthy(Duration::from_secs(60)),
            },
            trials: 3,
            closes_at: 2,
            trial_limit: Some(Duration::from_secs(10)),
            ramp: Some(Duration::from_secs(10)),
        }
    }
}

impl Policy {
    /// Whether a breaker built with `other` can go on under this policy with all its evidence:
    /// the windows have the same size.
    #[must_use]
    pub fn keeps_windows_of(&self, other: &Self) -> bool {
        let burn = |policy: &Self| policy.burn_rate.map(|trip| (trip.long, trip.short));
        self.window == other.window && burn(self) == burn(other)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::standard()
    }
}
