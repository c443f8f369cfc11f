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
        let epoch = *EPOCH.get_or_init(|| now);
        let nanos = now.saturating_duration_since(epoch).as_nanos();
        Moment::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
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
