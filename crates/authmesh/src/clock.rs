//! The one reader of the clock.

use std::sync::OnceLock;
use std::time::{Instant, SystemTime};

use authmesh_logic::Moment;

/// The clock of this process: monotonic, its epoch is the first reading.
///
/// A copyable token, so that whoever reads the time says so in its signature.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock;

static EPOCH: OnceLock<Instant> = OnceLock::new();

impl Clock {
    /// The time now.
    #[expect(clippy::disallowed_methods, reason = "this is the one reader of the clock")]
    #[must_use]
    pub fn now(self) -> Moment {
        let now = Instant::now();
        let since = now.saturating_duration_since(*EPOCH.get_or_init(|| now));
        // 64 bits hold 584 years of nanoseconds.
        Moment::from_nanos(since.as_secs() * 1_000_000_000 + u64::from(since.subsec_nanos()))
    }

    /// The system's monotonic clock (`CLOCK_MONOTONIC`) in microseconds, for programs that read the
    /// same clock, such as a service manager.
    #[must_use]
    pub fn system_micros(self) -> u64 {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
        seconds * 1_000_000 + u64::try_from(time.tv_nsec).unwrap_or_default() / 1_000
    }

    /// The time of day, for people and for what leaves the process.
    #[expect(clippy::disallowed_methods, reason = "this is the one reader of the clock")]
    #[must_use]
    pub fn time_of_day(self) -> SystemTime {
        SystemTime::now()
    }
}
