//! Counters of one operation: each lane writes its own shard, a snapshot adds them up.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use authmesh_logic::circuit_breaker::{Reading, Transition};
use authmesh_logic::{Lane, Moment};

use super::metrics::{EndpointBreakersMetrics, OperationMetrics};
use crate::circuit_breaker::{
    BreakerCounters, BreakerHistory, CircuitBreakerMetrics, MoveCounts, OutcomeKind,
    RejectedReason, State, TrialResult, add,
};
use crate::error::ErrorKind;

/// The upper bounds of the latency histogram, in milliseconds; the last bucket has none.
pub const LATENCY_BOUNDS_MS: [u64; 11] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 5_000];

pub(super) const LATENCY_BUCKETS: usize = LATENCY_BOUNDS_MS.len() + 1;

/// What a lane may count.
#[derive(Clone, Copy)]
pub(crate) enum Counted {
    Attempt(OutcomeKind),
    Rejected(RejectedReason),
    Trial(TrialResult),
    Failed(ErrorKind),
    Retry,
    Pick,
}

/// The counters of one operation, one shard a lane.
pub(crate) struct OperationCounters {
    shards: Box<[Shard]>,
    /// What became of its breaker.
    history: BreakerHistory,
}

/// What is counted of all endpoint breakers of a service together, so that a count does not go down
/// when an instance leaves.
#[derive(Default)]
pub(crate) struct EndpointBreakerCounters {
    rejected: [AtomicU64; RejectedReason::ALL.len()],
    trials: [AtomicU64; TrialResult::ALL.len()],
    moves: Mutex<MoveCounts>,
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
    /// Those of an operation whose breaker is closed since `now`.
    pub(crate) fn new(lanes: usize, now: Moment) -> Self {
        let shards = (0..lanes.max(1)).map(|_| Shard::default()).collect();
        Self { shards, history: BreakerHistory::beginning(State::Closed, now) }
    }

    pub(crate) fn count(&self, lane: Lane, counted: Counted) {
        let own = self.own(lane);
        let counter = match counted {
            Counted::Attempt(kind) => return own.breaker.result(kind),
            Counted::Rejected(reason) => return own.breaker.rejected(reason),
            Counted::Trial(result) => return own.breaker.trial(result),
            Counted::Failed(kind) => &own.failed[kind as usize],
            Counted::Retry => &own.retries,
            Counted::Pick => &own.picks,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes note of a change of its breaker's state.
    pub(crate) fn moved(&self, transition: Transition) {
        self.history.note(transition);
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
    pub(crate) fn metrics(&self, name: &str, breaker: &Reading, now: Moment) -> OperationMetrics {
        let mut sum = OperationMetrics {
            name: name.to_owned(),
            breaker: CircuitBreakerMetrics::of(breaker, &self.history, now),
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
            sum.breaker.add(&shard.breaker);
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

impl EndpointBreakerCounters {
    pub(crate) fn rejected(&self, reason: RejectedReason) {
        self.rejected[reason as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn trial(&self, result: TrialResult) {
        self.trials[result as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn moved(&self, transition: Transition) {
        let mut moves = self.moves.lock().unwrap_or_else(PoisonError::into_inner);
        transition.steps().for_each(|step| moves.count(&step));
    }

    /// What was counted so far. Asking changes nothing.
    pub(crate) fn metrics(&self) -> EndpointBreakersMetrics {
        let moves = self.moves.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut sum = EndpointBreakersMetrics { moves, ..EndpointBreakersMetrics::default() };
        add(&mut sum.rejected, &self.rejected);
        add(&mut sum.trials, &self.trials);
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::circuit_breaker::Counts;

    fn quiet() -> Reading {
        let counts = Counts::default();
        Reading { state: State::Closed, counts, untold: None, stale_results: 0 }
    }

    #[test]
    fn lanes_add_up() {
        let counters = OperationCounters::new(2, Moment::START);
        for lane in (0..4).map(Lane::new) {
            counters.count(lane, Counted::Attempt(OutcomeKind::Denied));
            counters.count(lane, Counted::Rejected(RejectedReason::TrialBusy));
            counters.count(lane, Counted::Trial(TrialResult::Late));
            counters.answered(lane, Duration::from_millis(3));
        }
        let metrics = counters.metrics("login", &quiet(), Moment::START);
        assert_eq!(metrics.breaker.results, [0, 4, 0, 0, 0]);
        assert_eq!(metrics.breaker.rejected, [0, 4, 0, 0]);
        assert_eq!(metrics.breaker.trials, [0, 0, 0, 4]);
        assert_eq!(metrics.answered, 4);
        assert_eq!(metrics.latency[2], 4, "3 ms is above 2 and within 5");
    }

    #[test]
    fn the_bound_itself_is_inside_its_bucket() {
        let counters = OperationCounters::new(1, Moment::START);
        counters.answered(Lane::FIRST, Duration::from_millis(1));
        counters.answered(Lane::FIRST, Duration::from_secs(9));
        let metrics = counters.metrics("login", &quiet(), Moment::START);
        assert_eq!((metrics.latency[0], metrics.latency[LATENCY_BUCKETS - 1]), (1, 1));
    }
}
