//! Counts what checks did, over all instances and for as long as whoever holds the counters lives.

use std::sync::atomic::{AtomicU64, Ordering};

use authmesh_logic::health::{CheckResult, Verdict};

use super::Evidence;

/// What a monitor has done so far, and what it concludes now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HealthMetrics {
    /// Instances of which nothing is known yet.
    pub unknown: usize,
    /// Instances that are healthy.
    pub healthy: usize,
    /// Instances that are not.
    pub unhealthy: usize,
    /// Checks that passed, those that requests answered included.
    pub passed: u64,
    /// Checks that failed, those that requests answered included.
    pub failed: u64,
    /// Checks that requests answered.
    pub from_traffic: u64,
    /// Verdicts that changed.
    pub changes: u64,
}

/// What has happened; each number only grows.
#[derive(Debug, Default)]
pub(crate) struct HealthCounters {
    passed: AtomicU64,
    failed: AtomicU64,
    from_traffic: AtomicU64,
    changes: AtomicU64,
}

impl HealthCounters {
    pub(super) fn check(&self, evidence: &Evidence) {
        let counter = match evidence.result {
            CheckResult::Pass => &self.passed,
            CheckResult::Fail(_) => &self.failed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        if evidence.from_traffic {
            self.from_traffic.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn change(&self) {
        self.changes.fetch_add(1, Ordering::Relaxed);
    }

    /// What was counted, beside these verdicts of now.
    pub(crate) fn metrics(&self, verdicts: impl Iterator<Item = Verdict>) -> HealthMetrics {
        let mut metrics = HealthMetrics {
            passed: self.passed.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            from_traffic: self.from_traffic.load(Ordering::Relaxed),
            changes: self.changes.load(Ordering::Relaxed),
            ..HealthMetrics::default()
        };
        for verdict in verdicts {
            match verdict {
                Verdict::Unknown => metrics.unknown += 1,
                Verdict::Healthy => metrics.healthy += 1,
                Verdict::Unhealthy => metrics.unhealthy += 1,
            }
        }
        metrics
    }
}
