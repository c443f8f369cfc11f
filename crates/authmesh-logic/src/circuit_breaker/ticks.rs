//! A breaker's own time: whole milliseconds since its epoch, rounded so that nothing comes early.

use core::time::Duration;

use super::word::NEVER;
use crate::Moment;

/// Where a breaker's time begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Epoch(Moment);

const TICK_NANOS: u64 = 1_000_000;

impl Epoch {
    pub(super) const fn new(moment: Moment) -> Self {
        Self(moment)
    }

    /// Nanoseconds since the epoch.
    #[inline]
    pub(super) const fn since(self, now: Moment) -> u64 {
        now.as_nanos().saturating_sub(self.0.as_nanos())
    }

    /// The tick that has begun: what is compared with what is written down.
    pub(super) const fn tick(self, now: Moment) -> u64 {
        self.since(now) / TICK_NANOS
    }

    /// The tick that comes no earlier: what is written down.
    pub(super) fn tick_up(self, now: Moment) -> u64 {
        self.since(now).div_ceil(TICK_NANOS).min(NEVER - 1)
    }

    /// When this tick begins.
    #[inline]
    pub(super) const fn moment(self, tick: u64) -> Moment {
        Moment::from_nanos(self.0.as_nanos().saturating_add(tick.saturating_mul(TICK_NANOS)))
    }
}

/// How many ticks this time takes, rounded up.
pub(super) fn ticks(time: Duration) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(u128::from(TICK_NANOS))).unwrap_or(u64::MAX).min(NEVER)
}
