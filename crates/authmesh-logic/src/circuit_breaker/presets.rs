//! Policies by name: for the usual, for what is seldom and slow, for what must not be hurt.

use core::time::Duration;

use super::burn_rate::BurnTrip;
use super::policy::{Policy, RateTrip, Wait, Window};
use crate::Ratio;

/// A policy by name.
///
/// | preset | trips at | waits | closes after |
/// |---|---|---|---|
/// | `standard` | half of at least 20 calls in 10 s, or 5 failures in a row | 1 s to 60 s | 2 of 3 trials |
/// | `patient` | three quarters of at least 50 calls in 30 s, or 20 in a row | 2 s to 30 s | 2 of 5 trials |
/// | `strict` | a quarter of at least 10 calls in 10 s, 3 in a row, or an objective of 99.9 % burnt 14.4 times too fast | 2 s to 2 min | 5 of 5 trials |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Preset {
    /// What is meant when nothing is written.
    #[default]
    Standard,
    /// For a dependency that has hiccups and no substitute: opens late, tries again soon.
    Patient,
    /// For a dependency that load hurts: opens early, asks for proof before it closes.
    Strict,
}

impl Preset {
    /// Every preset, in the order of their declaration.
    pub const ALL: [Self; 3] = [Self::Standard, Self::Patient, Self::Strict];

    /// The word used in the configuration.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Patient => "patient",
            Self::Strict => "strict",
        }
    }

    /// Its policy.
    #[must_use]
    pub const fn policy(self) -> Policy {
        match self {
            Self::Standard => Policy::standard(),
            Self::Patient => Policy::patient(),
            Self::Strict => Policy::strict(),
        }
    }
}

impl Policy {
    /// The policy of [`Preset::Patient`].
    #[must_use]
    pub const fn patient() -> Self {
        let standard = Self::standard();
        let wait = Wait {
            first: Duration::from_secs(2),
            longest: Duration::from_secs(30),
            ..standard.wait
        };
        Self {
            consecutive_failures: Some(20),
            failure_rate: Some(RateTrip { threshold: Ratio::percent(75), minimum_calls: 50 }),
            window: Window::Time { length: Duration::from_secs(30), buckets: 10 },
            wait,
            trials: 5,
            closes_at: 2,
            ..standard
        }
    }

    /// The policy of [`Preset::Strict`].
    #[must_use]
    pub const fn strict() -> Self {
        let standard = Self::standard();
        let wait = Wait {
            first: Duration::from_secs(2),
            longest: Duration::from_secs(120),
            ..standard.wait
        };
        Self {
            consecutive_failures: Some(3),
            failure_rate: Some(RateTrip { threshold: Ratio::percent(25), minimum_calls: 10 }),
            burn_rate: Some(BurnTrip::of(Ratio::per_mille(999))),
            wait,
            trials: 5,
            closes_at: 5,
            ramp: Some(Duration::from_secs(30)),
            ..standard
        }
    }
}
