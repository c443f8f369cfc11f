//! Counters of one operation: each lane writes its own shard, a snapshot adds them up.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use authmesh_logic::circuit_breaker::{AdvancedCircuitBreaker, Policy};
use authmesh_logic::{Lane, Moment};

use super::metrics::OperationMetrics;
use crate::circuit_breaker::{CircuitBreakerMetrics, Counts, OutcomeKind, RejectedReason, State};
use crate::error::ErrorKind;

/// The upper bounds of the latency histogram, in milliseconds; the last bucket has none.
pub const LATENCY_BOUNDS_MS: [u64; 11] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 5_000];

pub(super) const LATENCY_BUCKETS: usize = LATENCY_BOUNDS_MS.len() + 1;

/// What a lane may count.
#[derive(Clone, Copy)]
pub(crate) enum Counted {
    Attempt(OutcomeKind),
    Rejected(RejectedReason),
    Transition(State),
    Failed(ErrorKind),
    Retry,
    Pick,
}

/// The counters of one operation, one shard a lane.
pub(crate) struct OperationCounters {
    shards: Box<[Shard]>,
}

/// What is counted beside a breaker: what came of the permits it was asked for.
#[derive(Default)]
pub(crate) struct BreakerCounters {
    results: [AtomicU64; OutcomeKind::ALL.len()],
    rejected: [AtomicU64; RejectedReason::ALL.len()],
    entered: [AtomicU64; State::WORDS.len()],
}

/// What a breaker says of itself at one moment.
#[derive(Clone, Copy)]
pub(crate) struct BreakerReading {
    pub(crate) state: State,
    pub(crate) counts: Counts,
    pub(crate) stale_results: u64,
}

/// On lines of its own, so that lanes do not take them from one another.
#[derive(Default)]
#[repr(align(128))]
struct Shard {
    breaker: BreakerCounters,
    failed: [AtomicU64; ErrorKind::ALL.len()],
    retries: AtomicU64,
    picks: AtomicU64,
    latency: [AtomicU64; LATENCY_BUCKETS],
    latency_sum_us: AtomicU64,
}

impl OperationCounters {
    pub(crate) fn new(lanes: usize) -> Self {
        Self { shards: (0..lanes.max(1)).map(|_| Shard::default()).collect() }
    }

    pub(crate) fn count(&self, lane: Lane, counted: Counted) {
        let own = self.own(lane);
        let counter = match counted {
            Counted::Attempt(kind) => return own.breaker.result(kind),
            Counted::Rejected(reason) => return own.breaker.rejected(reason),
            Counted::Transition(to) => return own.breaker.moved(to),
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

    /// Adds the shards up. Asking changes nothing.
    pub(crate) fn metrics(&self, name: &str, breaker: BreakerReading) -> OperationMetrics {
        let mut sum = OperationMetrics {
            name: name.to_owned(),
            breaker: breaker.uncounted(),
            admission: None,
            quota_closed: None,
            answered: 0,
            failed: [0; ErrorKind::ALL.len()],
            retries: 0,
            picks: 0,
            latency: [0; LATENCY_BUCKETS],
            latency_sum_us: 0,
        };
        for shard in &self.shards {
            shard.breaker.add_to(&mut sum.breaker);
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

impl BreakerCounters {
    pub(crate) fn result(&self, kind: OutcomeKind) {
        self.results[kind as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn rejected(&self, reason: RejectedReason) {
        self.rejected[reason as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn moved(&self, to: State) {
        self.entered[to.index()].fetch_add(1, Ordering::Relaxed);
    }

    /// What was counted beside the breaker that says this. Asking changes nothing.
    pub(crate) fn metrics(&self, breaker: BreakerReading) -> CircuitBreakerMetrics {
        let mut sum = breaker.uncounted();
        self.add_to(&mut sum);
        sum
    }

    fn add_to(&self, sum: &mut CircuitBreakerMetrics) {
        add(&mut sum.results, &self.results);
        add(&mut sum.rejected, &self.rejected);
        add(&mut sum.entered, &self.entered);
        sum.transitions = sum.entered.iter().sum();
    }
}

impl BreakerReading {
    pub(crate) fn of(breaker: &AdvancedCircuitBreaker, policy: &Policy, now: Moment) -> Self {
        Self {
            state: breaker.state(policy, now),
            counts: breaker.counts(policy, now),
            stale_results: breaker.stale_results(),
        }
    }

    fn uncounted(self) -> CircuitBreakerMetrics {
        let Self { state, counts, stale_results } = self;
        CircuitBreakerMetrics {
            state,
            counts,
            results: [0; OutcomeKind::ALL.len()],
            rejected: [0; RejectedReason::ALL.len()],
            transitions: 0,
            entered: [0; State::WORDS.len()],
            stale_results,
        }
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

    const QUIET: BreakerReading =
        BreakerReading { state: State::Closed, counts: NOTHING, stale_results: 0 };
    const NOTHING: Counts =
        Counts { total: 0, failures: 0, slow: 0, denied: 0, consecutive_failures: 0 };

    #[test]
    fn lanes_add_up() {
        let counters = OperationCounters::new(2);
        for lane in (0..4).map(Lane::new) {
            counters.count(lane, Counted::Attempt(OutcomeKind::Denied));
            counters.count(lane, Counted::Rejected(RejectedReason::TrialBusy));
            counters.count(lane, Counted::Transition(State::HalfOpen));
            counters.answered(lane, Duration::from_millis(3));
        }
        let metrics = counters.metrics("login", QUIET);
        assert_eq!(metrics.breaker.results, [0, 4, 0, 0, 0]);
        assert_eq!(metrics.breaker.rejected, [0, 4, 0, 0]);
        assert_eq!((metrics.breaker.transitions, metrics.answered), (4, 4));
        assert_eq!(metrics.latency[2], 4, "3 ms is above 2 and within 5");
    }

    #[test]
    fn the_bound_itself_is_inside_its_bucket() {
        let counters = OperationCounters::new(1);
        counters.answered(Lane::FIRST, Duration::from_millis(1));
        counters.answered(Lane::FIRST, Duration::from_secs(9));
        let metrics = counters.metrics("login", QUIET);
        assert_eq!((metrics.latency[0], metrics.latency[LATENCY_BUCKETS - 1]), (1, 1));
    }
}
