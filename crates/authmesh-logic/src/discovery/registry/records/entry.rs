//! What is recorded of one service and of one instance.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use core::time::Duration;

use super::super::{Decision, Registrant};
use super::LeaseNumber;
use crate::Moment;
use crate::discovery::{Instance, InstanceId, Lease, Weight};

#[derive(Debug)]
pub(super) struct Service {
    /// Of its last visible change, or later.
    pub(super) revision: u64,
    pub(super) entries: BTreeMap<InstanceId, Entry>,
    /// Each with the revision at which it was made.
    pub(super) decisions: BTreeMap<InstanceId, (Decision, u64)>,
}

impl Service {
    pub(super) const fn new(revision: u64) -> Self {
        Self { revision, entries: BTreeMap::new(), decisions: BTreeMap::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.decisions.is_empty()
    }

    pub(super) fn decision(&self, id: &InstanceId) -> Decision {
        self.decisions.get(id).map(|(decision, _)| *decision).unwrap_or_default()
    }
}

#[derive(Debug)]
pub(super) struct Entry {
    /// As it stands in views: with what operators decided.
    pub(super) shown: Arc<Instance>,
    pub(super) registered_weight: Weight,
    pub(super) registrant: Registrant,
    pub(super) lease: LeaseNumber,
    pub(super) ttl: Duration,
    /// When the lease runs out, or the limbo.
    pub(super) deadline: Moment,
}

impl Entry {
    pub(super) fn is_expired(&self) -> bool {
        matches!(self.shown.lease, Lease::Expired { .. })
    }

    pub(super) fn show_lease(&mut self, lease: Lease) {
        Arc::make_mut(&mut self.shown).lease = lease;
    }

    pub(super) fn show_decision(&mut self, decision: Decision) {
        let shown = Arc::make_mut(&mut self.shown);
        shown.weight = decision.weight.unwrap_or(self.registered_weight);
        shown.administration = decision.administration;
    }
}
