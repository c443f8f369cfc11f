//! Counts the results of the last stretch of time, in buckets, on many cores at once.
//!
//! Each worker has a ring of buckets of its own. A bucket's counts stand under a tag that says which
//! bucket of which phase they are of, and a result changes tag and counts in one exchange: it lands
//! whole in its bucket, once, or its phase is over and it lands nowhere. Nobody begins a bucket or a
//! phase, so nobody waits for one to be begun.
//!
//! Tags go up by one from bucket to bucket and leap a whole window ahead from phase to phase, so
//! what earlier phases left lies behind every window of the present one.

use alloc::boxed::Box;
use core::time::Duration;

use super::evidence::Entry;
use super::slack::{Seen, Slack};
use super::state::Counts;
use super::tagged::{LAST_TAG, Pair, Tagged};
use crate::Lane;
use crate::mutant::{self, Mutant};
use crate::sync::{AtomicU64, Ordering, total_order};

/// A sliding window over time.
#[derive(Debug)]
pub(super) struct TimeWindow {
    cells: Box<[Cell]>,
    bucket_nanos: u64,
    /// The latest bucket that a result has reached; a call held up records in it, too.
    latest: AtomicU64,
    slack: Slack,
    buckets: u16,
    /// One less than how many workers have a ring, which is a power of two.
    last_shard: u16,
    /// From one ring to the next, in cells.
    stride: u32,
}

/// One bucket of one worker. Within a bucket a worker's results count up to 2²⁰ − 1; what exceeds
/// that is left out with everything it says, so that shares stay true.
#[derive(Debug)]
struct Cell {
    /// Failures, and all results.
    results: Tagged,
    /// Slow ones, and denials.
    marks: Tagged,
}

/// A bucket, and its place in the rings: `number:48 | slot:16`, in the order of time.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Bucket(u64);

/// The most workers with a ring of their own.
const MOST_SHARDS: usize = 64;
/// Rings of different workers share no line of the cache, wherever the allocation begins.
const LINE_BYTES: usize = 64;

impl TimeWindow {
    pub(super) fn new(length: Duration, buckets: u16, shards: usize) -> Self {
        let buckets = buckets.max(1);
        let length = u64::try_from(length.as_nanos()).unwrap_or(u64::MAX);
        let shards = shards.clamp(1, MOST_SHARDS).next_power_of_two();
        let ring = usize::from(buckets);
        let gap = LINE_BYTES.div_ceil(size_of::<Cell>());
        let stride = if shards == 1 { ring } else { (ring + gap).next_multiple_of(gap) };
        Self {
            cells: (0..shards * stride).map(|_| Cell::new()).collect(),
            bucket_nanos: (length / u64::from(buckets)).max(1),
            latest: AtomicU64::new(0),
            slack: Slack::new(),
            buckets,
            last_shard: (shards - 1) as u16,
            stride: stride as u32,
        }
    }

    /// Adds one result, at `since` nanoseconds after the epoch, and gives the tag of its bucket;
    /// `None` if `is_current` says that its phase is over: nothing changed.
    #[inline]
    pub(super) fn add(
        &self,
        generation: u32,
        lane: Lane,
        entry: Entry,
        since: u64,
        is_current: impl Fn() -> bool,
    ) -> Option<u64> {
        let bucket = self.reach(since);
        let tag = self.tag(generation, bucket);
        let shard = lane.number() & self.last_shard;
        let ring = usize::from(shard) * self.stride as usize;
        let cell = &self.cells[ring + bucket.slot()];
        // While our phase is the present one and nobody is a whole window ahead of us, whatever
        // else stands here is older.
        let is_newer =
            || is_current() && self.latest().number() < bucket.number() + u64::from(self.buckets);
        let counted = cell.results.change(tag, is_newer, |counts| {
            let Pair { one, other } = Pair::of(counts);
            if other == Pair::MOST {
                return counts;
            }
            Pair { one: one + u64::from(entry.failure), other: other + 1 }.payload()
        });
        let Some(counted) = counted else { return is_current().then_some(tag) };
        if (entry.slow || entry.denied) && Pair::of(counted).other < Pair::MOST {
            cell.marks.change(tag, is_newer, |counts| {
                let Pair { one, other } = Pair::of(counts);
                let one = one + u64::from(entry.slow);
                Pair { one, other: other + u64::from(entry.denied) }.payload()
            });
        }
        if entry.bad() > 0 {
            self.slack.spend(tag, entry.bad());
        }
        Some(tag)
    }

    /// Whether the window that ends with this bucket can still take a bad result, and so is not
    /// tripped by a good one.
    #[inline]
    pub(super) fn spares(&self, tag: u64) -> bool {
        total_order();
        self.slack.is_left(tag)
    }

    /// Looks at what is spared, before counting.
    pub(super) fn look(&self) -> Seen {
        self.slack.look()
    }

    /// Grants that so many more bad results trip nothing, as counted since the look.
    pub(super) fn grant(&self, seen: Seen, tag: u64, left: u64) {
        self.slack.grant(seen, tag, left);
    }

    /// What the window holds that ends at `since` nanoseconds after the epoch.
    pub(super) fn counts(&self, generation: u32, since: u64) -> Counts {
        total_order();
        let newest = self.tag(generation, self.present(since));
        let within = |(tag, counts): (u64, u64)| {
            let age = newest.wrapping_sub(tag) & LAST_TAG;
            if age < u64::from(self.buckets) { Pair::of(counts) } else { Pair::default() }
        };
        let mut sum = Counts::default();
        for ring in self.cells.chunks(self.stride as usize) {
            for cell in &ring[..usize::from(self.buckets)] {
                // Marks first: no share comes out larger than it ever was.
                let marks = within(cell.marks.load());
                let results = within(cell.results.load());
                sum.slow += marks.one;
                sum.denied += marks.other;
                sum.failures += results.one;
                sum.total += results.other;
            }
        }
        sum
    }

    /// Takes over what an old window holds of this phase, each of its buckets into the one of ours
    /// that holds its end; what is too old for us is left behind. To be called before anybody adds.
    pub(super) fn inherit(&self, old: &Self, generation: u32, since: u64) {
        let (present, ours) = (old.present(since), self.reach(since));
        let newest = old.tag(generation, present);
        for ring in old.cells.chunks(old.stride as usize) {
            for cell in &ring[..usize::from(old.buckets)] {
                let (tag, results) = cell.results.load();
                let age = newest.wrapping_sub(tag) & LAST_TAG;
                let number = present.number().checked_sub(age);
                let Some(number) = number.filter(|_| age < u64::from(old.buckets)) else {
                    continue;
                };
                let end = (number + 1).saturating_mul(old.bucket_nanos) - 1;
                let bucket =
                    Bucket::new(end.min(since) / self.bucket_nanos, u64::from(self.buckets));
                if ours.number() - bucket.number() < u64::from(self.buckets) {
                    let marks = cell.marks.under(tag).unwrap_or_default();
                    self.take_over(bucket, generation, Pair::of(results), Pair::of(marks));
                }
            }
        }
    }

    /// Adds many results at once, or, where they would be too many for a bucket, none of them.
    fn take_over(&self, bucket: Bucket, generation: u32, results: Pair, marks: Pair) {
        let (cell, tag) = (&self.cells[bucket.slot()], self.tag(generation, bucket));
        let held = |word: &Tagged| Pair::of(word.under(tag).unwrap_or_default());
        let results = held(&cell.results).plus(results);
        let marks = held(&cell.marks).plus(marks);
        if let (Some(results), Some(marks)) = (results, marks) {
            for (word, pair) in [(&cell.results, results), (&cell.marks, marks)] {
                word.change(tag, || true, |_| pair.payload());
            }
        }
    }

    /// The tag of this bucket in this phase.
    #[inline]
    fn tag(&self, generation: u32, bucket: Bucket) -> u64 {
        let leap = if mutant::is(Mutant::NoLeap) { 0 } else { u64::from(self.buckets) };
        bucket.number().wrapping_add(u64::from(generation) * leap) & LAST_TAG
    }

    #[inline]
    fn latest(&self) -> Bucket {
        Bucket(self.latest.load(Ordering::Acquire))
    }

    /// The bucket of this moment, or the latest, if that is later.
    #[inline]
    fn present(&self, since: u64) -> Bucket {
        let latest = self.latest();
        if since < (latest.number() + 1).saturating_mul(self.bucket_nanos) {
            return latest;
        }
        Bucket::new(since / self.bucket_nanos, u64::from(self.buckets))
    }

    /// The same, and it is the latest from now on.
    #[inline]
    fn reach(&self, since: u64) -> Bucket {
        let (latest, present) = (self.latest(), self.present(since));
        if present == latest {
            return latest;
        }
        let before = self.latest.fetch_max(present.0, Ordering::AcqRel);
        Bucket(before.max(present.0))
    }
}

impl Cell {
    fn new() -> Self {
        Self { results: Tagged::new(), marks: Tagged::new() }
    }
}

impl Bucket {
    const SLOT_BITS: u32 = 16;

    fn new(number: u64, buckets: u64) -> Self {
        let number = number.min(u64::MAX >> Self::SLOT_BITS);
        Self(number << Self::SLOT_BITS | (number % buckets))
    }

    #[inline]
    const fn number(self) -> u64 {
        self.0 >> Self::SLOT_BITS
    }

    #[inline]
    const fn slot(self) -> usize {
        (self.0 & ((1 << Self::SLOT_BITS) - 1)) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const BAD: Entry = Entry { failure: true, slow: true, denied: false };

    fn window(shards: usize) -> TimeWindow {
        TimeWindow::new(Duration::from_secs(3), 3, shards)
    }

    fn add(window: &TimeWindow, lane: u16, entry: Entry, since: u64) -> Option<u64> {
        window.add(0, Lane::new(lane), entry, since, || true)
    }

    #[test]
    fn a_full_bucket_leaves_out_what_comes_and_all_that_it_says() {
        let window = window(1);
        let tag = add(&window, 0, BAD, 0).unwrap();
        let full = Pair { one: 7, other: Pair::MOST }.payload();
        window.cells[0].results.change(tag, || false, |_| full);
        assert_eq!(add(&window, 0, BAD, 0), Some(tag));
        let counts = window.counts(0, 0);
        assert_eq!((counts.total, counts.failures, counts.slow), (Pair::MOST, 7, 1));
        assert!(add(&window, 0, BAD, SECOND).is_some());
        assert_eq!(window.counts(0, SECOND).failures, 8);
    }

    #[test]
    fn another_window_takes_over_what_is_young_enough_for_it() {
        let seconds = |window: &TimeWindow, second: u64| window.counts(5, second * SECOND).total;
        let old = TimeWindow::new(Duration::from_secs(12), 4, 2);
        // 3 s a bucket: one result at 1 s, two at 4 s, three at 7 s, four at 10 s.
        for (second, times) in [(1, 1), (4, 2), (7, 3), (10, 4)] {
            for lane in 0..times {
                old.add(5, Lane::new(lane), BAD, second * SECOND, || true).unwrap();
            }
        }
        for (length, buckets, now, kept) in [
            (12, 12, 10, 10),
            (24, 3, 10, 10),
            (6, 6, 10, 9),
            (3, 3, 10, 7),
            (1, 1, 10, 4),
            (24, 24, 13, 9),
            (12, 4, 40, 0),
        ] {
            let new = TimeWindow::new(Duration::from_secs(length), buckets, 4);
            new.inherit(&old, 5, now * SECOND);
            assert_eq!(seconds(&new, now), kept, "{length} s in {buckets} at {now} s");
            let counts = new.counts(5, now * SECOND);
            assert_eq!((counts.failures, counts.slow, counts.denied), (kept, kept, 0));
            assert_eq!(new.counts(4, now * SECOND).total, 0, "of another phase");
            assert_eq!(seconds(&new, now + length + 3), 0, "and it grows old");
        }
        let other = TimeWindow::new(Duration::from_secs(12), 4, 1);
        other.inherit(&old, 6, 10 * SECOND);
        assert_eq!(other.counts(6, 10 * SECOND).total, 0, "an earlier phase has nothing to leave");
    }

    #[test]
    fn workers_have_cells_of_their_own_and_one_sum() {
        let window = window(3);
        for lane in 0..8 {
            add(&window, lane, BAD, u64::from(lane) * SECOND / 4);
        }
        assert_eq!(window.counts(0, 2 * SECOND).total, 8);
        // Four rings for three workers, each with its own two of the eight.
        let rings = window.cells.chunks(window.stride as usize);
        let used = rings.map(|ring| ring.iter().filter(|cell| cell.results.load().1 > 0).count());
        assert_eq!(used.collect::<alloc::vec::Vec<_>>(), [2, 2, 2, 2]);
    }
}
