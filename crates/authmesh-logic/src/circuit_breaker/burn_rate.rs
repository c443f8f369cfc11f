//! Whether failures use up what an objective allows much faster than it allows, over two windows.
//!
//! An objective of 99.9 % allows one failure in a thousand. Who fails 14.4 times as often has used
//! up a month's allowance in two days. The long window says that it is no blip, the short one that
//! it still goes on; so a leak that no rate of ten seconds would ever reach is found, and found to
//! be over. Source: The Site Reliability Workbook, ch. 5, alerting on burn rate over two windows.

use core::time::Duration;

use super::evidence::{Entry, Stamp};
use super::state::Counts;
use crate::sliding_sum::{SlidingSum, Sum};
use crate::sync::{AtomicU32, Ordering};
use crate::{Factor, Lane, Moment, Ratio};

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

/// The two windows. A phase begins with empty ones, at the next of their buckets.
#[derive(Debug)]
pub(super) struct BurnWindows {
    long: SlidingSum,
    short: SlidingSum,
    /// The phase whose results they hold.
    generation: AtomicU32,
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

    fn is_reached_by(&self, sum: Sum) -> bool {
        sum.part > 0 && self.factor.times_is_reached_by(self.objective.rest(), sum.part, sum.all)
    }
}

impl BurnWindows {
    pub(super) fn new(trip: &BurnTrip, shards: usize, epoch: Moment) -> Self {
        let window = |length| SlidingSum::new(length, BUCKETS, shards, epoch);
        let (long, short) = (window(trip.long), window(trip.short));
        Self { long, short, generation: AtomicU32::new(0) }
    }

    /// Adds a result of the current phase.
    pub(super) fn add(&self, stamp: Stamp, lane: Lane, entry: Entry, now: Moment) {
        if self.generation.load(Ordering::Relaxed) != stamp.generation {
            let before = self.generation.swap(stamp.generation, Ordering::Relaxed);
            if before != stamp.generation {
                self.long.forget(now);
                self.short.forget(now);
            }
        }
        self.long.add(lane, entry.failure, now);
        self.short.add(lane, entry.failure, now);
    }

    /// The counts of the long window, if both reach the trip.
    pub(super) fn tripping(&self, trip: &BurnTrip, now: Moment) -> Option<Counts> {
        // The short window is asked first: it is quiet as soon as the trouble is over.
        if !trip.is_reached_by(self.short.sum(now)) {
            return None;
        }
        let long = self.long.sum(now);
        let trips = long.all >= u64::from(trip.minimum_calls) && trip.is_reached_by(long);
        trips.then_some(Counts { total: long.all, failures: long.part, ..Counts::default() })
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

    fn stamp(generation: u32) -> Stamp {
        Stamp { generation, parity: 0 }
    }

    /// One call a second, of which every `every`-th fails, from `from` to `to`.
    fn call(windows: &BurnWindows, generation: u32, from: u64, to: u64, every: u64) {
        for second in from..to {
            let entry = Entry { failure: second % every == 0, ..Entry::default() };
            let now = Moment::from_millis(second * 1_000);
            windows.add(stamp(generation), Lane::FIRST, entry, now);
        }
    }

    fn trips(windows: &BurnWindows, second: u64) -> bool {
        windows.tripping(&TRIP, Moment::from_millis(second * 1_000)).is_some()
    }

    #[test]
    fn both_windows_must_burn_and_there_must_be_enough_calls() {
        let windows = BurnWindows::new(&TRIP, 1, Moment::START);
        call(&windows, 0, 0, 90, 10);
        assert!(!trips(&windows, 89), "90 calls are too few");
        call(&windows, 0, 90, 121, 10);
        assert!(trips(&windows, 120), "a tenth failed for two minutes");
        call(&windows, 0, 121, 190, 1_000);
        assert!(!trips(&windows, 189), "it is over");
        call(&windows, 0, 190, 200, 1);
        assert!(trips(&windows, 199), "here it is again");

        let quiet = BurnWindows::new(&TRIP, 1, Moment::START);
        call(&quiet, 0, 1, 540, 1_000);
        call(&quiet, 0, 540, 580, 2);
        assert!(!trips(&quiet, 579), "a blip of half a minute is no tenth of ten minutes");
    }

    #[test]
    fn a_phase_begins_with_nothing() {
        let windows = BurnWindows::new(&TRIP, 1, Moment::START);
        call(&windows, 0, 0, 300, 2);
        assert!(trips(&windows, 299));
        call(&windows, 1, 300, 301, 2);
        assert!(!trips(&windows, 300));
        call(&windows, 1, 310, 500, 2);
        assert!(trips(&windows, 499));
    }
}
