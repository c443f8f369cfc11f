//! What is counted beside a breaker: results, refusals and trials.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use authmesh_logic::Moment;
use authmesh_logic::circuit_breaker::Reading;

use super::history::{BreakerHistory, MoveCounts};
use super::{Counts, OutcomeKind, RejectedReason, State};

/// What a breaker has seen, read at one moment; reading changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CircuitBreakerMetrics {
    /// The state; exactly one, so metrics made of it are one-hot.
    pub state: State,
    /// The evidence the state is judged by.
    pub counts: Counts,
    /// Results recorded since the beginning, in the order of [`OutcomeKind::ALL`].
    pub results: [u64; OutcomeKind::ALL.len()],
    /// Calls refused since the beginning, in the order of [`RejectedReason::ALL`].
    pub rejected: [u64; RejectedReason::ALL.len()],
    /// Trials that came back since the beginning, in the order of [`TrialResult::ALL`].
    pub trials: [u64; TrialResult::ALL.len()],
    /// Changes of state since the beginning.
    pub moves: MoveCounts,
    /// How long it has been in each state since the beginning, in the order of [`State::WORDS`].
    pub time_in_state: [Duration; State::WORDS.len()],
    /// Results that came after their phase was over, since the beginning.
    pub stale_results: u64,
}

/// How the trial of a half-open breaker came back. One that never does has its own end: the change
/// of state whose cause is the trial limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TrialResult {
    /// With a success or a denial: the dependency does its job.
    Passed,
    /// With a failure, or throttled.
    Failed,
    /// Without a word: its place is free again.
    Returned,
    /// After its phase was over; it changed nothing.
    Late,
}

impl TrialResult {
    /// Every result, in the order of their declaration.
    pub const ALL: [Self; 4] = [Self::Passed, Self::Failed, Self::Returned, Self::Late];

    /// The word used in metrics.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Returned => "returned",
            Self::Late => "late",
        }
    }

    /// That of a trial with this outcome, whose phase still goes on or does not.
    pub(crate) const fn of(kind: OutcomeKind, is_current: bool) -> Self {
        match kind {
            _ if !is_current => Self::Late,
            OutcomeKind::Success | OutcomeKind::Denied => Self::Passed,
            OutcomeKind::Failure | OutcomeKind::Throttled => Self::Failed,
            OutcomeKind::Neutral => Self::Returned,
        }
    }
}

/// What came of the permits that a breaker was asked for.
#[derive(Debug, Default)]
pub(crate) struct BreakerCounters {
    results: [AtomicU64; OutcomeKind::ALL.len()],
    rejected: [AtomicU64; RejectedReason::ALL.len()],
    trials: [AtomicU64; TrialResult::ALL.len()],
}

impl BreakerCounters {
    pub(crate) fn result(&self, kind: OutcomeKind) {
        self.results[kind as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn rejected(&self, reason: RejectedReason) {
        self.rejected[reason as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn trial(&self, result: TrialResult) {
        self.trials[result as usize].fetch_add(1, Ordering::Relaxed);
    }
}

impl CircuitBreakerMetrics {
    /// What a breaker says of itself and what became of it; its permits are to be added.
    pub(crate) fn of(reading: &Reading, history: &BreakerHistory, now: Moment) -> Self {
        let (moves, time_in_state) = history.read(reading, now);
        Self {
            state: reading.state,
            counts: reading.counts,
            results: Default::default(),
            rejected: Default::default(),
            trials: Default::default(),
            moves,
            time_in_state,
            stale_results: reading.stale_results,
        }
    }

    /// With what came of its permits.
    pub(crate) fn add(&mut self, counters: &BreakerCounters) {
        add(&mut self.results, &counters.results);
        add(&mut self.rejected, &counters.rejected);
        add(&mut self.trials, &counters.trials);
    }
}

/// Adds counters to their sums.
pub(crate) fn add<const N: usize>(sums: &mut [u64; N], counters: &[AtomicU64; N]) {
    for (sum, counter) in sums.iter_mut().zip(counters) {
        *sum += counter.load(Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_ends_in_one_of_four_ways() {
        let rows = [
            (OutcomeKind::Success, TrialResult::Passed),
            (OutcomeKind::Denied, TrialResult::Passed),
            (OutcomeKind::Failure, TrialResult::Failed),
            (OutcomeKind::Throttled, TrialResult::Failed),
            (OutcomeKind::Neutral, TrialResult::Returned),
        ];
        for (kind, result) in rows {
            assert_eq!(TrialResult::of(kind, true), result);
            assert_eq!(TrialResult::of(kind, false), TrialResult::Late);
        }
        for (place, result) in TrialResult::ALL.into_iter().enumerate() {
            assert_eq!(result as usize, place);
        }
    }
}
