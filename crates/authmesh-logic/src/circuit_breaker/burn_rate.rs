//! Whether failures use up what an objective allows much faster than it allows, over two windows.
//!
//! An objective of 99.9 % allows one failure in a thousand. Who fails 14.4 times as often has used
//! up a month's allowance in two days. The long window says that it is no blip, the short one that
//! it still goes on; so a leak that no rate of ten seconds would ever reach is found, and found to
//! be over. Source: The Site Reliability Workbook, ch. 5, alerting on burn rate over two windows.

use core::time::Duration;

use super::evidence::Entry;
use super::state::Counts;
use super::time_window::TimeWindow;
use crate::{Factor, Lane, Ratio};

/// Trips when, in both windows, failures are `factor` times as many as `objective` allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BurnTrip {
    /// The share of calls that is meant to succeed.
    pub objective: Ratio,
    /// How many times as fast as allowed is too fast; reached at equality.
    pub factor: Factor,
    /// The window that says that it is no blip.
    pub long: Duration,
    /// The window that says that it still goes on.
    pub short: Duration,
    /// The fewest calls in the long window to judge by.
    pub minimum_calls: u32,
}

/// The two windows. Moments are nanoseconds since the breaker's epoch.
#[derive(Debug)]
pub(super) struct BurnWindows {
    long: TimeWindow,
    short: TimeWindow,
}

/// Into how many parts each window is divided.
const BUCKETS: u16 = 60;

impl BurnTrip {
    /// This objective, burnt 14.4 times too fast for an hour and still in its last five minutes,
    /// over at least 100 calls.
    #[must_use]
    pub const fn of(objective: Ratio) -> Self {
        Self {
            objective,
            factor: Factor::thousandths(14_400),
            long: Duration::from_secs(3_600),
            short: Duration::from_secs(300),
            minimum_calls: 100,
        }
    }

    fn is_reached_by(&self, counts: &Counts) -> bool {
        let Counts { total, failures, .. } = *counts;
        failures > 0 && self.factor.times_is_reached_by(self.objective.rest(), failures, total)
    }
}

impl BurnWindows {
    pub(super) fn new(trip: &BurnTrip, shards: usize) -> Self {
        let window = |length| TimeWindow::new(length, BUCKETS, shards);
        Self { long: window(trip.long), short: window(trip.short) }
    }

    /// Takes over what old windows hold of this phase.
    pub(super) fn inherit(&self, old: &Self, generation: u32, since: u64) {
        self.long.inherit(&old.long, generation, since);
        self.short.inherit(&old.short, generation, since);
    }

    /// Adds a result; `None` if `is_current` says that its phase is over.
    pub(super) fn add(
        &self,
        generation: u32,
        lane: Lane,
        entry: Entry,
        since: u64,
        is_current: impl Fn() -> bool + Copy,
    ) -> Option<()> {
        let entry = Entry { failure: entry.failure, ..Entry::default() };
        self.long.add(generation, lane, entry, since, is_current)?;
        self.short.add(generation, lane, entry, since, is_current)?;
        Some(())
    }

    /// The counts of the long window, if both reach the trip.
    pub(super) fn tripping(&self, trip: &BurnTrip, generation: u32, since: u64) -> Option<Counts> {
        // The short window is asked first: it is quiet as soon as the trouble is over.
        if !trip.is_reached_by(&self.short.counts(generation, since)) {
            return None;
        }
        let long = self.long.counts(generation, since);
        (long.total >= u64::from(trip.minimum_calls) && trip.is_reached_by(&long)).then_some(long)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRIP: BurnTrip = BurnTrip {
        objective: Ratio::percent(99),
        factor: Factor::thousandths(10_000),
        long: Duration::from_secs(600),
        short: Duration::from_secs(60),
        minimum_calls: 100,
    };

    const SECOND: u64 = 1_000_000_000;

    /// One call a second, of which every `every`-th fails, from `from` to `to`.
    fn call(windows: &BurnWindows, generation: u32, from: u64, to: u64, every: u64) {
        for second in from..to {
            let entry = Entry { failure: second % every == 0, ..Entry::default() };
            windows.add(generation, Lane::FIRST, entry, second * SECOND, || true).unwrap();
        }
    }

    fn trips(windows: &BurnWindows, generation: u32, second: u64) -> bool {
        windows.tripping(&TRIP, generation, second * SECOND).is_some()
    }

    #[test]
    fn both_windows_must_burn_and_there_must_be_enough_calls() {
        let windows = BurnWindows::new(&TRIP, 1);
        call(&windows, 0, 0, 90, 10);
        assert!(!trips(&windows, 0, 89), "90 calls are too few");
        call(&windows, 0, 90, 121, 10);
        assert!(trips(&windows, 0, 120), "a tenth failed for two minutes");
        call(&windows, 0, 121, 190, 1_000);
        assert!(!trips(&windows, 0, 189), "it is over");
        call(&windows, 0, 190, 200, 1);
        assert!(trips(&windows, 0, 199), "here it is again");

        let quiet = BurnWindows::new(&TRIP, 1);
        call(&quiet, 0, 1, 540, 1_000);
        call(&quiet, 0, 540, 580, 2);
        assert!(!trips(&quiet, 0, 579), "a blip of half a minute is no tenth of ten minutes");
    }

    #[test]
    fn a_phase_begins_with_nothing() {
        let windows = BurnWindows::new(&TRIP, 1);
        call(&windows, 0, 0, 300, 2);
        assert!(trips(&windows, 0, 299));
        call(&windows, 1, 300, 301, 2);
        assert!(!trips(&windows, 1, 300));
        call(&windows, 1, 310, 500, 2);
        assert!(trips(&windows, 1, 499));
    }
}
