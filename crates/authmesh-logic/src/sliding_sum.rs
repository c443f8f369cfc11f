//! Counts what happened in the last stretch of time, and a part of it, on many cores at once.
//!
//! Each worker has a ring of buckets of its own. A bucket is one word that carries the number of
//! its time: whoever finds an old number begins the bucket anew in the same exchange, so nothing
//! is reset apart from being counted, and a sum takes only buckets whose number is in the window.

use alloc::boxed::Box;
use core::time::Duration;

use crate::sync::{AtomicU64, Ordering};
use crate::{Lane, Moment};

/// A sum over the last `length` of time.
#[derive(Debug)]
pub(crate) struct SlidingSum {
    epoch: Moment,
    bucket_nanos: u64,
    shards: Box<[Shard]>,
}

/// What a [`SlidingSum`] holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    /// Everything.
    pub(crate) all: u64,
    /// The part of it.
    pub(crate) part: u64,
}

/// The buckets of one worker, `tag:20 | part:22 | all:22` each, on cache lines of their own.
#[derive(Debug)]
#[repr(align(128))]
struct Shard(Box<[AtomicU64]>);

const COUNT_BITS: u32 = 22;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;
const TAG_MASK: u64 = (1 << 20) - 1;

impl SlidingSum {
    /// An empty sum over `length` in `buckets` parts of it, with a ring for each of `shards`
    /// workers. Nothing is allocated later.
    pub(crate) fn new(length: Duration, buckets: u16, shards: usize, epoch: Moment) -> Self {
        let buckets = usize::from(buckets.max(1));
        let nanos = u64::try_from(length.as_nanos()).unwrap_or(u64::MAX);
        let ring = || Shard((0..buckets).map(|_| AtomicU64::new(0)).collect());
        Self {
            epoch,
            bucket_nanos: (nanos / buckets as u64).max(1),
            shards: (0..shards.max(1)).map(|_| ring()).collect(),
        }
    }

    /// Counts one, and whether it is of the part. A bucket that has counted four million of one
    /// worker counts no further, so that the share in it stays.
    pub(crate) fn add(&self, lane: Lane, is_part: bool, now: Moment) {
        let bucket = self.bucket(now);
        let Shard(ring) = &self.shards[lane.shard(self.shards.len())];
        let slot = &ring[(bucket % ring.len() as u64) as usize];
        let (tag, next_lap) = (bucket & TAG_MASK, (bucket + ring.len() as u64) & TAG_MASK);
        let mut word = slot.load(Ordering::Relaxed);
        loop {
            let before = match word >> (2 * COUNT_BITS) {
                found if found == tag => word,
                // This call was held up for a whole window: what it counts is no longer in it.
                found if found == next_lap && word & COUNT_MASK > 0 => return,
                _ => tag << (2 * COUNT_BITS),
            };
            if before & COUNT_MASK == COUNT_MASK {
                return;
            }
            let after = before + (u64::from(is_part) << COUNT_BITS) + 1;
            match slot.compare_exchange_weak(word, after, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => word = now,
            }
        }
    }

    /// What happened in the window that ends now. Changes nothing.
    pub(crate) fn sum(&self, now: Moment) -> Sum {
        let present = self.bucket(now);
        let mut sum = Sum::default();
        for Shard(ring) in &self.shards {
            for slot in ring {
                let word = slot.load(Ordering::Relaxed);
                let age = (present & TAG_MASK).wrapping_sub(word >> (2 * COUNT_BITS)) & TAG_MASK;
                if age < ring.len() as u64 {
                    sum.all += word & COUNT_MASK;
                    sum.part += word >> COUNT_BITS & COUNT_MASK;
                }
            }
        }
        sum
    }

    fn bucket(&self, now: Moment) -> u64 {
        let nanos = now.as_nanos().saturating_sub(self.epoch.as_nanos());
        nanos / self.bucket_nanos
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn at(millis: u64) -> Moment {
        Moment::from_millis(millis)
    }

    fn sums() -> SlidingSum {
        SlidingSum::new(Duration::from_secs(1), 10, 2, at(50))
    }

    #[test]
    fn a_bucket_leaves_the_window_as_a_whole() {
        let sums = sums();
        for (millis, is_part) in [(50, true), (149, false), (150, true), (1_049, true)] {
            sums.add(Lane::new(1), is_part, at(millis));
        }
        assert_eq!(sums.sum(at(1_049)), Sum { all: 4, part: 3 });
        assert_eq!(sums.sum(at(1_050)), Sum { all: 2, part: 2 });
        assert_eq!(sums.sum(at(1_150)), Sum { all: 1, part: 1 });
        assert_eq!(sums.sum(at(2_050)), Sum::default());
    }

    #[test]
    fn long_idleness_and_a_clock_that_steps_back_lose_no_later_count() {
        let sums = sums();
        sums.add(Lane::FIRST, true, at(60));
        let late = 100 * (1 << 22);
        sums.add(Lane::FIRST, true, at(late));
        assert_eq!(sums.sum(at(late)), Sum { all: 1, part: 1 });
        sums.add(Lane::FIRST, true, at(late - 1_000));
        assert_eq!(sums.sum(at(late)), Sum { all: 1, part: 1 });
    }

    #[test]
    fn threads_on_one_lane_lose_nothing() {
        let sums = sums();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1_000).for_each(|n| sums.add(Lane::FIRST, n % 2 == 0, at(n))));
            }
        });
        assert_eq!(sums.sum(at(999)), Sum { all: 4_000, part: 2_000 });
    }
}
