//! The driver's side of outlier ejection: when endpoints are compared, and who is out.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use authmesh_logic::Moment;
use authmesh_logic::discovery::InstanceId;
use authmesh_logic::health::CheckResult;
use authmesh_logic::outlier::{Cause, Change, Detector, Policy, Tally};
use tokio::sync::Notify;
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::clock::Clock;
use crate::health::{CheckRecord, HealthMonitor};
use crate::luck::with_dice;

/// Compares the endpoints of one service.
pub(crate) struct Outliers {
    policy: Option<Policy>,
    detector: Detector<InstanceId>,
    sweep: Option<Interval>,
    /// Rung by the request lane when an endpoint has enough failures in a row.
    alarm: Arc<Notify>,
}

/// An ejection that holds, for people to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ejection {
    pub(crate) cause: Cause,
    pub(crate) at: Moment,
    pub(crate) lasts: Duration,
}

impl Outliers {
    pub(crate) fn new(policy: Option<Policy>, alarm: Arc<Notify>) -> Self {
        let mut outliers = Self { policy: None, detector: Detector::default(), sweep: None, alarm };
        outliers.set_policy(policy);
        outliers
    }

    /// Compares by another policy from now on. Without one, everyone returns.
    pub(crate) fn set_policy(&mut self, policy: Option<Policy>) -> Vec<Change<InstanceId>> {
        if self.policy.map(|policy| policy.interval) != policy.map(|policy| policy.interval) {
            self.sweep = policy.map(|policy| {
                let mut sweep = interval(policy.interval);
                sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
                // The first tick of an interval is at once: there is nothing to compare yet.
                sweep.reset();
                sweep
            });
        }
        self.policy = policy;
        if policy.is_none() { self.detector.clear() } else { Vec::new() }
    }

    pub(crate) fn set_members(
        &mut self,
        members: impl IntoIterator<Item = (InstanceId, Arc<Tally>)>,
    ) {
        self.detector.set_members(members);
    }

    /// Waits until there is something to decide. Cancel-safe.
    pub(crate) async fn due(&mut self) -> Due {
        let (Some(_), Some(sweep)) = (&self.policy, &mut self.sweep) else {
            return pending().await;
        };
        tokio::select! {
            () = self.alarm.notified() => Due::Look,
            _ = sweep.tick() => Due::Sweep,
        }
    }

    /// Decides what is due.
    pub(crate) fn decide(
        &mut self,
        due: Due,
        monitor: Option<&HealthMonitor>,
    ) -> Vec<Change<InstanceId>> {
        let (Some(policy), now) = (self.policy, Clock.now()) else { return Vec::new() };
        match due {
            Due::Look => self.detector.look(&policy, now),
            Due::Sweep => {
                let mut changes = with_dice(|dice| self.detector.sweep(&policy, dice, now));
                changes.extend(self.let_checked_return(&policy, monitor));
                changes
            }
        }
    }

    fn let_checked_return(
        &mut self,
        policy: &Policy,
        monitor: Option<&HealthMonitor>,
    ) -> Vec<Change<InstanceId>> {
        let Some(monitor) = monitor.filter(|_| policy.returns_on_health) else {
            return Vec::new();
        };
        let has_passed = |(id, at): &(InstanceId, Moment)| {
            let passed = |check: &CheckRecord| {
                let evidence = check.evidence;
                check.started > *at
                    && evidence.result == CheckResult::Pass
                    && !evidence.from_traffic
            };
            monitor.history(id).iter().any(passed)
        };
        let passed: Vec<_> = self.detector.ejections().filter(has_passed).collect();
        passed.iter().filter_map(|(id, _)| self.detector.check_passed(policy, id)).collect()
    }
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// An endpoint has enough failures in a row.
    Look,
    /// An interval has ended.
    Sweep,
}
