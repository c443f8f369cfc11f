//! Counts the results of the last stretch of time, in buckets, on many cores at once.
//!
//! Counters are only ever added to. A bucket begins by noting the sums as they stand, and the
//! window holds the sums of now minus the sums at its oldest bucket's beginning: nothing is reset,
//! so nothing is lost to a reset. A result that races the beginning of a bucket lands, whole, in
//! that bucket or in the one before.
//!
//! Two sets of counters take turns from phase to phase. A thread held up between looking at the
//! state and adding spoils only a set at rest; to spoil one in use it would have to sleep through
//! two whole outages.

use alloc::boxed::Box;
use core::time::Duration;

use super::evidence::{Entry, Stamp};
use super::run::BAD_MASK;
use super::state::Counts;
use crate::sync::{AtomicBool, AtomicU64, Ordering, fence};
use crate::{Lane, Moment};

/// A sliding window over time.
#[derive(Debug)]
pub(super) struct TimeWindow {
    epoch: u64,
    bucket_nanos: u64,
    /// How many buckets the window reaches back, the present one included.
    buckets: u64,
    /// In which phase and bucket gathering began: `generation:18 | bucket:46`.
    begun: AtomicU64,
    /// The last bucket whose beginning is noted, in the same form.
    latest: AtomicU64,
    /// The nanosecond at which `latest` ends: up to there nobody needs to look further.
    latest_ends: AtomicU64,
    /// Held, without anyone waiting for it, by the call that notes a beginning.
    noting: AtomicBool,
    /// The sums at which each set began its phase.
    bases: [Sums; 2],
    /// The sums at the beginning of each bucket, in a ring.
    beginnings: Box<[Sums]>,
    shards: Box<[Shard]>,
}

/// `failures:32 | total:32` and `slow:32 | denied:32`; linear, so that differences stay right
/// through every carry.
#[derive(Debug)]
struct Sums {
    results: AtomicU64,
    marks: AtomicU64,
}

/// The counters of one worker, on cache lines of their own.
#[derive(Debug)]
#[repr(align(128))]
struct Shard([Sums; 2]);

const BUCKET_BITS: u32 = 46;
const BUCKET_MASK: u64 = (1 << BUCKET_BITS) - 1;
const LOW: u64 = u32::MAX as u64;

impl TimeWindow {
    pub(super) fn new(length: Duration, buckets: u16, shards: usize, epoch: Moment) -> Self {
        let buckets = u64::from(buckets.max(1));
        let length = u64::try_from(length.as_nanos()).unwrap_or(u64::MAX);
        let bucket_nanos = (length / buckets).max(1);
        Self {
            epoch: epoch.as_nanos(),
            bucket_nanos,
            buckets,
            begun: AtomicU64::new(0),
            latest: AtomicU64::new(0),
            latest_ends: AtomicU64::new(bucket_nanos),
            noting: AtomicBool::new(false),
            bases: [Sums::new(), Sums::new()],
            // One more than the window needs: the next beginning is noted beside the oldest.
            beginnings: (0..=buckets).map(|_| Sums::new()).collect(),
            shards: (0..shards.max(1)).map(|_| Shard([Sums::new(), Sums::new()])).collect(),
        }
    }

    pub(super) fn add(
        &self,
        stamp: Stamp,
        lane: Lane,
        entry: Entry,
        now: Moment,
        is_current: impl Fn() -> bool,
    ) -> bool {
        let since = now.as_nanos().saturating_sub(self.epoch);
        if phase(self.begun.load(Ordering::Acquire)) != stamp.generation
            && !self.begin(stamp, since / self.bucket_nanos, is_current)
        {
            return false;
        }
        if since >= self.latest_ends.load(Ordering::Acquire) {
            self.advance(stamp, since / self.bucket_nanos);
        }
        let shard = if self.shards.len() == 1 { 0 } else { lane.shard(self.shards.len()) };
        self.shards[shard].0[stamp.parity].add(entry);
        true
    }

    pub(super) fn at_most_bad(&self, stamp: Stamp, bad: u64, now: Moment) -> u64 {
        if bad == 0 {
            return 0;
        }
        match self.oldest(stamp, now) {
            Oldest::None => 0,
            Oldest::Base => bad,
            Oldest::Beginning { slot, .. } => {
                let before = self.beginnings[slot].load().since(self.bases[stamp.parity].load());
                let gone = (before.results >> 32) + (before.marks >> 32);
                bad.wrapping_sub(gone) & BAD_MASK
            }
        }
    }

    pub(super) fn counts(&self, stamp: Stamp, now: Moment) -> Counts {
        // The total order of this fence and those of other threads makes the last of several
        // results see the others' additions.
        fence(Ordering::SeqCst);
        loop {
            let oldest = self.oldest(stamp, now);
            let before = match oldest {
                Oldest::None => return Counts::default(),
                Oldest::Base => self.bases[stamp.parity].load(),
                Oldest::Beginning { slot, .. } => self.beginnings[slot].load(),
            };
            fence(Ordering::Acquire);
            let window = self.sum(stamp.parity).since(before);
            // A slot may be noted anew while it is read; then the window has moved on.
            if let Oldest::Beginning { latest, .. } = oldest
                && self.latest.load(Ordering::Acquire) != latest
            {
                continue;
            }
            return Counts {
                total: window.results & LOW,
                failures: window.results >> 32,
                slow: window.marks >> 32,
                denied: window.marks & LOW,
                consecutive_failures: 0,
            };
        }
    }

    /// Begins the phase: notes the sums at which its set of counters starts. All who come may note
    /// them at once, for all note the same: a sum taken while the phase had not begun holds no
    /// result of it.
    fn begin(&self, stamp: Stamp, bucket: u64, is_current: impl Fn() -> bool) -> bool {
        loop {
            let before = self.begun.load(Ordering::Acquire);
            if phase(before) == stamp.generation {
                return true;
            }
            // What stands there is of an earlier phase as long as ours is the current one.
            if !is_current() {
                return false;
            }
            let base = self.sum(stamp.parity);
            // Whose addition the sum holds had seen the phase begin: so do we, after this fence.
            fence(Ordering::Acquire);
            if self.begun.load(Ordering::Acquire) != before {
                continue;
            }
            self.bases[stamp.parity].store(base);
            let ours = mark(stamp.generation, bucket);
            if self
                .begun
                .compare_exchange(before, ours, Ordering::AcqRel, Ordering::Acquire)
                .is_ok()
            {
                let ends = (bucket + 1).saturating_mul(self.bucket_nanos);
                self.latest_ends.store(ends, Ordering::Release);
            }
        }
    }

    /// Notes the beginning of all buckets up to `bucket`, unless another call is at it.
    fn advance(&self, stamp: Stamp, bucket: u64) {
        if self.noting.swap(true, Ordering::Acquire) {
            return;
        }
        let begun = self.begun.load(Ordering::Acquire);
        if phase(begun) == stamp.generation {
            let latest = self.latest_of(begun);
            if bucket > latest {
                let sums = self.sum(stamp.parity);
                let first = (latest + 1).max(bucket.saturating_sub(self.buckets));
                for beginning in first..=bucket {
                    self.beginnings[self.slot(beginning)].store(sums);
                }
                self.latest.store(mark(stamp.generation, bucket), Ordering::Release);
            }
            let ends = (bucket.max(latest) + 1).saturating_mul(self.bucket_nanos);
            self.latest_ends.store(ends, Ordering::Release);
        }
        self.noting.store(false, Ordering::Release);
    }

    /// Where the window at `now` begins.
    fn oldest(&self, stamp: Stamp, now: Moment) -> Oldest {
        let begun = self.begun.load(Ordering::Acquire);
        if phase(begun) != stamp.generation {
            return Oldest::None;
        }
        let noted = self.latest.load(Ordering::Acquire);
        let latest = if phase(noted) == stamp.generation { noted } else { begun } & BUCKET_MASK;
        let present = (now.as_nanos().saturating_sub(self.epoch) / self.bucket_nanos).max(latest);
        let oldest = (present + 1).saturating_sub(self.buckets);
        if oldest <= begun & BUCKET_MASK {
            Oldest::Base
        } else if oldest <= latest {
            Oldest::Beginning { slot: self.slot(oldest), latest: noted }
        } else {
            Oldest::None
        }
    }

    /// The last noted bucket of the phase that `begun` names.
    fn latest_of(&self, begun: u64) -> u64 {
        let latest = self.latest.load(Ordering::Acquire);
        if phase(latest) == phase(begun) { latest & BUCKET_MASK } else { begun & BUCKET_MASK }
    }

    fn slot(&self, bucket: u64) -> usize {
        (bucket % self.beginnings.len() as u64) as usize
    }

    fn sum(&self, parity: usize) -> Sum {
        self.shards.iter().fold(Sum::default(), |sum, shard| sum.plus(shard.0[parity].load()))
    }
}

/// Where a window begins.
#[derive(Clone, Copy)]
enum Oldest {
    /// Nothing is in it.
    None,
    /// At the beginning of the phase.
    Base,
    /// At the noted beginning of a bucket, read while `latest` stood.
    Beginning { slot: usize, latest: u64 },
}

/// The value of [`Sums`].
#[derive(Clone, Copy, Default)]
struct Sum {
    results: u64,
    marks: u64,
}

impl Sum {
    fn plus(self, other: Self) -> Self {
        Self {
            results: self.results.wrapping_add(other.results),
            marks: self.marks.wrapping_add(other.marks),
        }
    }

    fn since(self, before: Self) -> Self {
        Self {
            results: self.results.wrapping_sub(before.results),
            marks: self.marks.wrapping_sub(before.marks),
        }
    }
}

impl Sums {
    fn new() -> Self {
        Self { results: AtomicU64::new(0), marks: AtomicU64::new(0) }
    }

    fn add(&self, entry: Entry) {
        // Released, so that whoever reads it also sees that the phase had begun.
        self.results.fetch_add(u64::from(entry.failure) << 32 | 1, Ordering::Release);
        let marks = u64::from(entry.slow) << 32 | u64::from(entry.denied);
        if marks != 0 {
            self.marks.fetch_add(marks, Ordering::Release);
        }
    }

    fn load(&self) -> Sum {
        Sum {
            results: self.results.load(Ordering::Relaxed),
            marks: self.marks.load(Ordering::Relaxed),
        }
    }

    fn store(&self, sum: Sum) {
        self.results.store(sum.results, Ordering::Relaxed);
        self.marks.store(sum.marks, Ordering::Relaxed);
    }
}

fn mark(generation: u32, bucket: u64) -> u64 {
    u64::from(generation) << BUCKET_BITS | bucket & BUCKET_MASK
}

fn phase(mark: u64) -> u32 {
    (mark >> BUCKET_BITS) as u32
}
