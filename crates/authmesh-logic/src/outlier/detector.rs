//! Decides for a group of endpoints who is ejected, and who returns.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use super::policy::{Cause, Policy, Threshold};
use super::statistics::{mean, standard_deviation};
use super::tally::{Interval, Tally};
use crate::{Dice, Moment, Ratio};

/// The endpoints of a group, by key. One writer holds it; results arrive in the tallies.
#[derive(Debug)]
pub struct Detector<K> {
    members: BTreeMap<K, Member>,
}

/// What was decided about one endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change<K> {
    /// Which.
    pub key: K,
    /// What.
    pub kind: ChangeKind,
}

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is out, for this long at least.
    Ejected {
        /// By which rule.
        cause: Cause,
        /// For how long.
        lasts: Duration,
    },
    /// It was found to be an outlier and stays in: as many are out as may be, or the rule is not
    /// always enforced. Told once in an interval.
    Spared(Cause),
    /// It is in again.
    Returned,
}

#[derive(Debug)]
struct Member {
    tally: Arc<Tally>,
    ejected_at: Option<Moment>,
    /// How often it was ejected, less one for each sweep since that found nothing.
    times: u32,
    /// Whether it was told since the last sweep that it is spared.
    spared: bool,
}

impl<K> Default for Detector<K> {
    fn default() -> Self {
        Self { members: BTreeMap::new() }
    }
}

impl<K: Ord + Clone> Detector<K> {
    /// Says who belongs to the group. Who stays keeps its state; an endpoint with another tally is
    /// another endpoint. Who leaves is forgotten.
    pub fn set_members(&mut self, members: impl IntoIterator<Item = (K, Arc<Tally>)>) {
        let mut before = core::mem::take(&mut self.members);
        for (key, tally) in members {
            let known = before.remove(&key).filter(|known| Arc::ptr_eq(&known.tally, &tally));
            let member =
                known.unwrap_or(Member { tally, ejected_at: None, times: 0, spared: false });
            self.members.insert(key, member);
        }
    }

    /// Whether an endpoint is out.
    #[must_use]
    pub fn is_ejected(&self, key: &K) -> bool {
        self.members.get(key).is_some_and(|member| member.ejected_at.is_some())
    }

    /// Who is out, and since when.
    pub fn ejections(&self) -> impl Iterator<Item = (K, Moment)> {
        let out = self.members.iter();
        out.filter_map(|(key, member)| Some((key.clone(), member.ejected_at?)))
    }

    /// How many are out.
    #[must_use]
    pub fn ejected(&self) -> usize {
        self.members.values().filter(|member| member.ejected_at.is_some()).count()
    }

    /// Looks for failures in a row, to be asked when a [`Tally`] says that there are enough.
    pub fn look(&mut self, policy: &Policy, now: Moment) -> Vec<Change<K>> {
        let Some(limit) = policy.consecutive else { return Vec::new() };
        let is_found = |member: &Member| member.tally.run() >= limit.max(1);
        let found = self.standing_out(is_found);
        let mut changes = Vec::new();
        for key in found {
            changes.extend(self.eject(policy, key, Cause::Consecutive, now));
        }
        changes
    }

    /// Ends the interval: judges its results, then lets those return whose time has passed.
    pub fn sweep(&mut self, policy: &Policy, dice: &mut Dice, now: Moment) -> Vec<Change<K>> {
        self.members.values_mut().for_each(|member| member.spared = false);
        let mut changes = self.look(policy, now);
        let intervals = self.take_intervals();
        for key in by_success_rate(policy, &intervals) {
            let enforced = policy.success_rate.map_or(Ratio::ZERO, |rule| rule.enforced);
            changes.extend(self.find(policy, key, Cause::SuccessRate, enforced, dice, now));
        }
        for key in by_failure_share(policy, &intervals) {
            let enforced = policy.failure_share.map_or(Ratio::ZERO, |rule| rule.enforced);
            changes.extend(self.find(policy, key, Cause::FailureShare, enforced, dice, now));
        }
        for (key, member) in &mut self.members {
            match member.ejected_at {
                None => member.times = member.times.saturating_sub(1),
                Some(at) if policy.returns.is_passed(now.since(at), policy.lasts(member.times)) => {
                    member.come_back();
                    changes.push(Change { key: key.clone(), kind: ChangeKind::Returned });
                }
                Some(_) => {}
            }
        }
        changes
    }

    /// Takes note of an active check that passed.
    pub fn check_passed(&mut self, policy: &Policy, key: &K) -> Option<Change<K>> {
        let member = self.members.get_mut(key)?;
        if !policy.returns_on_health || member.ejected_at.is_none() {
            return None;
        }
        member.come_back();
        Some(Change { key: key.clone(), kind: ChangeKind::Returned })
    }

    /// Lets everyone return and forgets how often they were out: the rules are gone.
    pub fn clear(&mut self) -> Vec<Change<K>> {
        let mut changes = Vec::new();
        for (key, member) in &mut self.members {
            if member.ejected_at.is_some() {
                member.come_back();
                changes.push(Change { key: key.clone(), kind: ChangeKind::Returned });
            }
            member.times = 0;
        }
        changes
    }

    fn standing_out(&self, is_found: impl Fn(&Member) -> bool) -> Vec<K> {
        let is_in = |member: &Member| member.ejected_at.is_none();
        let found = self.members.iter().filter(|(_, member)| is_in(member) && is_found(member));
        found.map(|(key, _)| key.clone()).collect()
    }

    /// The results of everyone who is in. What still arrives from those who are out is dropped:
    /// they were sent before.
    fn take_intervals(&self) -> Vec<(K, Interval)> {
        let taken = self.members.iter().map(|(key, member)| (key, member, member.tally.take()));
        let is_in = taken.filter(|(_, member, _)| member.ejected_at.is_none());
        is_in.map(|(key, _, interval)| (key.clone(), interval)).collect()
    }

    fn find(
        &mut self,
        policy: &Policy,
        key: K,
        cause: Cause,
        enforced: Ratio,
        dice: &mut Dice,
        now: Moment,
    ) -> Option<Change<K>> {
        if self.is_ejected(&key) {
            return None;
        }
        if dice.fraction() < enforced.as_fraction() {
            return self.eject(policy, key, cause, now);
        }
        self.spare(key, cause)
    }

    /// Tells once in an interval that an outlier stays in.
    fn spare(&mut self, key: K, cause: Cause) -> Option<Change<K>> {
        let member = self.members.get_mut(&key)?;
        let is_told = core::mem::replace(&mut member.spared, true);
        (!is_told).then_some(Change { key, kind: ChangeKind::Spared(cause) })
    }

    fn eject(&mut self, policy: &Policy, key: K, cause: Cause, now: Moment) -> Option<Change<K>> {
        let may = policy.may_eject(self.ejected(), self.members.len());
        let member = self.members.get_mut(&key)?;
        member.tally.forget_run();
        if !may {
            return self.spare(key, cause);
        }
        member.ejected_at = Some(now);
        member.times = member.times.saturating_add(1);
        let kind = ChangeKind::Ejected { cause, lasts: policy.lasts(member.times) };
        Some(Change { key, kind })
    }
}

impl Member {
    /// Results of requests that were sent before it was out say nothing of it now.
    fn come_back(&mut self) {
        self.ejected_at = None;
        self.tally.forget_run();
        let _ = self.tally.take();
    }
}

fn with_calls<K>(intervals: &[(K, Interval)], minimum_calls: u32) -> Vec<&(K, Interval)> {
    // Nobody is judged by nothing.
    let minimum = u64::from(minimum_calls.max(1));
    intervals.iter().filter(|(_, interval)| interval.total() >= minimum).collect()
}

fn by_success_rate<K: Clone>(policy: &Policy, intervals: &[(K, Interval)]) -> Vec<K> {
    let Some(rule) = policy.success_rate else { return Vec::new() };
    let judged = with_calls(intervals, rule.minimum_calls);
    if judged.len() < rule.minimum_hosts as usize {
        return Vec::new();
    }
    let rates: Vec<f64> = judged.iter().map(|(_, interval)| interval.success_rate()).collect();
    let least = mean(&rates) - standard_deviation(&rates) * rule.deviations.as_number();
    let below = judged.iter().zip(&rates).filter(|&(_, &rate)| rate < least);
    below.map(|((key, _), _)| key.clone()).collect()
}

fn by_failure_share<K: Clone>(policy: &Policy, intervals: &[(K, Interval)]) -> Vec<K> {
    let Some(rule) = policy.failure_share else { return Vec::new() };
    let judged = with_calls(intervals, rule.minimum_calls);
    if judged.len() < rule.minimum_hosts as usize {
        return Vec::new();
    }
    let is_found = |interval: &Interval| {
        let (part, whole) = (u64::from(interval.failures), interval.total());
        part > 0
            && match rule.threshold {
                Threshold::Reached => rule.share.is_reached_by(part, whole),
                Threshold::Exceeded => !rule.share.is_not_exceeded_by(part, whole),
            }
    };
    let found = judged.iter().filter(|(_, interval)| is_found(interval));
    found.map(|(key, _)| key.clone()).collect()
}
