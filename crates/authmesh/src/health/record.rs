//! What is known of one instance's health: the verdict, its reason, and the last checks.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use authmesh_logic::Moment;
use authmesh_logic::health::{
    Change, CheckResult, Passive, Policy, Schedule, Tracker, Traffic, Verdict,
};

use super::Evidence;
use crate::discovery::InstanceId;
use crate::luck::with_dice;

/// One check that was made, or what requests said in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckRecord {
    /// When it began.
    pub started: Moment,
    /// How long it took; zero if requests answered in its place.
    pub took: Duration,
    /// What it saw.
    pub evidence: Evidence,
}

/// The health of one instance at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceHealth {
    /// Whose.
    pub id: InstanceId,
    /// What the checks conclude.
    pub status: Verdict,
    /// Since when.
    pub since: Moment,
    /// Why, in a sentence for a person.
    pub reason: String,
    /// The last check, whether or not it changed the status.
    pub last_check: Option<CheckRecord>,
}

/// The live state of one instance.
pub(super) struct Record {
    tracker: Tracker,
    schedule: Schedule,
    reason: String,
    checks: VecDeque<CheckRecord>,
    traffic: Arc<Traffic>,
    /// When the last check began, or the instance appeared.
    started: Moment,
}

impl Record {
    /// How many checks are remembered.
    pub(super) const CHECKS_KEPT: usize = 16;

    pub(super) fn new(
        policy: &Policy,
        schedule: Schedule,
        traffic: Arc<Traffic>,
        now: Moment,
    ) -> Self {
        Self {
            tracker: Tracker::unknown(policy, now),
            schedule,
            reason: "not checked yet".into(),
            checks: VecDeque::new(),
            traffic,
            started: now,
        }
    }

    pub(super) fn set_traffic(&mut self, traffic: Arc<Traffic>) {
        self.traffic = traffic;
    }

    /// Takes in a check that ended at `now`, and plans the next.
    pub(super) fn observe(
        &mut self,
        policy: &Policy,
        check: CheckRecord,
        now: Moment,
    ) -> Option<Change> {
        if self.checks.len() == Self::CHECKS_KEPT {
            self.checks.pop_front();
        }
        self.checks.push_back(check);
        self.started = check.started;
        let change = self.tracker.observe(policy, check.evidence.result, now);
        if change.is_some() {
            self.reason = check.evidence.sentence(policy);
        }
        self.plan(policy, now);
        change
    }

    /// Plans the next check anew, as after a change of `policy`.
    pub(super) fn plan(&mut self, policy: &Policy, now: Moment) {
        let (schedule, tracker, started) = (&mut self.schedule, &self.tracker, self.started);
        with_dice(|dice| schedule.plan(policy, tracker, started, now, dice));
    }

    pub(super) const fn due(&self) -> Moment {
        self.schedule.due()
    }

    /// Whether so many requests in a row failed that waiting for the next check is too long.
    pub(super) fn is_alarming(&self, policy: &Policy) -> bool {
        match policy.passive {
            Passive::Off => false,
            Passive::On { failures } => {
                self.traffic.failures_in_a_row() >= u64::from(failures.max(1))
            }
        }
    }

    /// What requests since the last check say in place of the next.
    pub(super) fn take_evidence(&self, policy: &Policy) -> Option<CheckResult> {
        self.traffic.take_evidence(policy.passive, self.started)
    }

    /// Why the verdict is what it is.
    pub(super) fn reason(&self) -> &str {
        &self.reason
    }

    pub(super) const fn verdict(&self) -> Verdict {
        self.tracker.verdict()
    }

    pub(super) fn health(&self, id: InstanceId) -> InstanceHealth {
        InstanceHealth {
            id,
            status: self.tracker.verdict(),
            since: self.tracker.since(),
            reason: self.reason.clone(),
            last_check: self.checks.back().copied(),
        }
    }

    pub(super) fn checks(&self) -> impl Iterator<Item = CheckRecord> + '_ {
        self.checks.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use authmesh_logic::health::{Check, CheckFailure};

    use super::*;

    #[test]
    fn the_last_checks_are_remembered_and_no_more() {
        let policy = Policy::of(Check::Tcp);
        let schedule = Schedule::first(&policy, 0, 1, Moment::START);
        let mut record = Record::new(&policy, schedule, Arc::default(), Moment::START);
        for second in 1..=40 {
            let started = Moment::from_millis(1_000 * second);
            let evidence = Evidence::failed(CheckFailure::Timeout);
            let check = CheckRecord { started, took: Duration::ZERO, evidence };
            let change = record.observe(&policy, check, started);
            assert_eq!(change.is_some(), second == 1);
        }
        let kept: Vec<_> = record.checks().map(|check| check.started.as_millis() / 1_000).collect();
        assert_eq!(kept, (25..=40).collect::<Vec<_>>());
        let health = record.health("login-1".parse().unwrap());
        assert_eq!((health.status, health.since), (Verdict::Unhealthy, Moment::from_millis(1_000)));
        assert_eq!(health.reason, "no answer within 1s");
    }
}
