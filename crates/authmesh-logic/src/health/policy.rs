//! How an instance is checked, and how many answers in a row are believed.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use super::CheckFailure;

/// The settings of health checking for one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What one check does.
    pub check: Check,
    /// The time between two checks of an instance.
    pub interval: Duration,
    /// The time between two checks while it is failing or not yet known.
    pub failing_interval: Duration,
    /// How much of an interval may be added at random, in percent.
    pub jitter_percent: u8,
    /// How long one check may take.
    pub timeout: Duration,
    /// How many passing checks in a row make an instance healthy.
    pub rise: u32,
    /// How many failing checks in a row make it unhealthy.
    pub fall: u32,
    /// Whether outcomes of real traffic count.
    pub passive: Passive,
    /// Which failures make an instance unhealthy at once, whatever `fall` says.
    pub eject_on_first: EjectOnFirst,
}

/// What one check does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// Connects.
    Tcp,
    /// Sends `GET path` and expects one of these status codes. Follows no redirect, carries no
    /// credential, reads at most 64 KiB of the body.
    Http {
        /// The path, beginning with `/`.
        path: Box<str>,
        /// The `Host` field; the address if `None`.
        host: Option<Box<str>>,
        /// The lawful status codes, as inclusive ranges.
        expect: Vec<(u16, u16)>,
    },
}

/// Whether outcomes of real traffic count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passive {
    /// Only checks count.
    Off,
    /// A success since the last check replaces the next one; this many failures in a row count as
    /// a failing check.
    On {
        /// Failures in a row.
        failures: u32,
    },
}

/// The failures that are believed at once. No other is: a single time-out may be an accident.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EjectOnFirst {
    /// A lawful answer with a status that is not expected: the instance says so itself.
    pub status: bool,
    /// So many requests in a row failed that no check was needed.
    pub passive: bool,
    /// TLS failed, or the peer proved another identity than the one expected.
    pub identity: bool,
}

impl EjectOnFirst {
    /// None.
    pub const NEVER: Self = Self { status: false, passive: false, identity: false };

    /// Whether this failure is believed at once.
    #[must_use]
    pub const fn believes(self, failure: CheckFailure) -> bool {
        match failure {
            CheckFailure::Status(_) => self.status,
            CheckFailure::Traffic => self.passive,
            CheckFailure::Identity => self.identity,
            CheckFailure::Refused
            | CheckFailure::Unreachable
            | CheckFailure::Timeout
            | CheckFailure::Reset
            | CheckFailure::Malformed => false,
        }
    }
}

impl Policy {
    /// Checks every 5 s (1 s while failing) with 10 % jitter and a time limit of 1 s; two good
    /// answers make an instance healthy, three bad ones unhealthy.
    #[must_use]
    pub const fn of(check: Check) -> Self {
        Self {
            check,
            interval: Duration::from_secs(5),
            failing_interval: Duration::from_secs(1),
            jitter_percent: 10,
            timeout: Duration::from_secs(1),
            rise: 2,
            fall: 3,
            passive: Passive::Off,
            eject_on_first: EjectOnFirst::NEVER,
        }
    }
}
