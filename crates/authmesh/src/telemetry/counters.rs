//! Counters of one operation: each lane writes its own shard, a snapshot adds them up.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use authmesh_logic::Lane;
use authmesh_logic::outcome::OutcomeKind;

use crate::error::ErrorKind;

/// The upper bounds of the latency histogram, in milliseconds; the last bucket has none.
pub const LATENCY_BOUNDS_MS: [u64; 11] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 5_000];

const BUCKETS: usize = LATENCY_BOUNDS_MS.len() + 1;

/// What happened to requests of one operation since the mesh was built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperationMetrics {
    /// Attempts by what their outcome says, in the order of [`OutcomeKind::ALL`].
    pub attempts: [u64; OutcomeKind::ALL.len()],
    /// Requests that got the head of an answer.
    pub answered: u64,
    /// Requests that got none, in the order of [`ErrorKind::ALL`].
    pub failed: [u64; ErrorKind::ALL.len()],
    /// Attempts beyond the first.
    pub retries: u64,
    /// Endpoints chosen.
    pub picks: u64,
    /// Time to the head of the answer of answered requests, by bucket of [`LATENCY_BOUNDS_MS`].
    pub latency: [u64; BUCKETS],
    /// The sum of those times, in microseconds.
    pub latency_sum_us: u64,
}

/// What a lane may count.
#[derive(Clone, Copy)]
pub(crate) enum Counted {
    Attempt(OutcomeKind),
    Failed(ErrorKind),
    Retry,
    Pick,
}

/// The counters of one operation, one shard a lane.
pub(crate) struct OperationCounters {
    shards: Box<[Shard]>,
}

/// On lines of its own, so that lanes do not take them from one another.
#[derive(Default)]
#[repr(align(128))]
struct Shard {
    attempts: [AtomicU64; OutcomeKind::ALL.len()],
    failed: [AtomicU64; ErrorKind::ALL.len()],
    retries: AtomicU64,
    picks: AtomicU64,
    latency: [AtomicU64; BUCKETS],
    latency_sum_us: AtomicU64,
}

impl OperationCounters {
    pub(crate) fn new(lanes: usize) -> Self {
        Self { shards: (0..lanes.max(1)).map(|_| Shard::default()).collect() }
    }

    pub(crate) fn count(&self, lane: Lane, counted: Counted) {
        let own = self.own(lane);
        let counter = match counted {
            Counted::Attempt(kind) => &own.attempts[kind as usize],
            Counted::Failed(kind) => &own.failed[kind as usize],
            Counted::Retry => &own.retries,
            Counted::Pick => &own.picks,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a request that got the head of an answer after `latency`.
    pub(crate) fn answered(&self, lane: Lane, latency: Duration) {
        let own = self.own(lane);
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        let bucket = LATENCY_BOUNDS_MS.partition_point(|bound| bound * 1_000 < micros);
        own.latency[bucket].fetch_add(1, Ordering::Relaxed);
        own.latency_sum_us.fetch_add(micros, Ordering::Relaxed);
    }

    /// Adds the shards up. Scraping changes nothing.
    pub(crate) fn metrics(&self) -> OperationMetrics {
        let mut sum = OperationMetrics::default();
        for shard in &self.shards {
            add(&mut sum.attempts, &shard.attempts);
            add(&mut sum.failed, &shard.failed);
            add(&mut sum.latency, &shard.latency);
            sum.retries += shard.retries.load(Ordering::Relaxed);
            sum.picks += shard.picks.load(Ordering::Relaxed);
            sum.latency_sum_us += shard.latency_sum_us.load(Ordering::Relaxed);
        }
        sum.answered = sum.latency.iter().sum();
        sum
    }

    fn own(&self, lane: Lane) -> &Shard {
        &self.shards[lane.shard(self.shards.len())]
    }
}

fn add<const N: usize>(sums: &mut [u64; N], counters: &[AtomicU64; N]) {
    for (sum, counter) in sums.iter_mut().zip(counters) {
        *sum += counter.load(Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_add_up() {
        let counters = OperationCounters::new(2);
        for lane in 0..4 {
            counters.count(Lane::new(lane), Counted::Attempt(OutcomeKind::Denied));
            counters.answered(Lane::new(lane), Duration::from_millis(3));
        }
        let metrics = counters.metrics();
        assert_eq!(metrics.attempts, [0, 4, 0, 0, 0]);
        assert_eq!(metrics.answered, 4);
        assert_eq!(metrics.latency[2], 4, "3 ms is above 2 and within 5");
    }

    #[test]
    fn the_bound_itself_is_inside_its_bucket() {
        let counters = OperationCounters::new(1);
        counters.answered(Lane::FIRST, Duration::from_millis(1));
        counters.answered(Lane::FIRST, Duration::from_secs(9));
        let metrics = counters.metrics();
        assert_eq!((metrics.latency[0], metrics.latency[BUCKETS - 1]), (1, 1));
    }
}
