//! Leaves a dependency alone for as long as it asks to be.

use core::time::Duration;

use crate::Moment;
use crate::sync::{AtomicU64, Ordering};

/// One quota of a dependency: a door that a throttled answer closes for a time.
///
/// | the door is | becomes | when |
/// |---|---|---|
/// | open | closed | a throttled answer names a wait |
/// | closed | closed for longer | another names a later end |
/// | closed | open | its end has come |
#[derive(Debug, Default)]
pub struct Quota {
    /// In nanoseconds; 0 is never closed.
    closed_until: AtomicU64,
}

/// The longest that one answer closes a quota, whatever it asks for: a dependency that is wrong
/// about this must not take itself out for a day.
pub const LONGEST_CLOSURE: Duration = Duration::from_secs(60);

impl Quota {
    /// Closes it for `wait`, at most [`LONGEST_CLOSURE`]. Returns the closure, if it is a new one
    /// and not one that was closed already.
    pub fn close(&self, wait: Duration, now: Moment) -> Option<Duration> {
        let wait = wait.min(LONGEST_CLOSURE);
        let before = self.closed_until.fetch_max((now + wait).as_nanos(), Ordering::Relaxed);
        (before <= now.as_nanos() && !wait.is_zero()).then_some(wait)
    }

    /// How long it is still closed; `None` if it is open.
    #[must_use]
    pub fn closed_for(&self, now: Moment) -> Option<Duration> {
        let until = self.closed_until.load(Ordering::Relaxed);
        if until <= now.as_nanos() { None } else { Some(Moment::from_nanos(until).since(now)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_door_walks_through_its_states_as_the_table_says() {
        let (quota, at) = (Quota::default(), |seconds: u64| Moment::from_millis(seconds * 1_000));
        let seconds = Duration::from_secs;
        assert_eq!(quota.closed_for(at(0)), None);
        assert_eq!(quota.close(seconds(5), at(1)), Some(seconds(5)));
        assert_eq!(quota.closed_for(at(2)), Some(seconds(4)));
        assert_eq!(quota.close(seconds(1), at(2)), None, "not shortened");
        assert_eq!(quota.closed_for(at(5)), Some(seconds(1)));
        assert_eq!(quota.close(seconds(3_600), at(5)), None, "longer, and not a new closure");
        assert_eq!(quota.closed_for(at(5)), Some(LONGEST_CLOSURE));
        assert_eq!(quota.closed_for(at(65)), None);
        assert_eq!(quota.close(seconds(0), at(66)), None);
        assert_eq!(quota.closed_for(at(66)), None);
    }
}
