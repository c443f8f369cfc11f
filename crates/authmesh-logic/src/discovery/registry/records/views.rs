//! What a registry shows, and what of it is saved.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use super::super::{Decision, Registrant};
use super::Records;
use crate::discovery::{Instance, InstanceId, ServiceName, View, Weight};

/// One registration, as it is saved.
#[derive(Clone, Copy, Debug)]
pub struct Registered<'a> {
    /// Of which service.
    pub service: &'a ServiceName,
    /// As it stands in views: with what operators decided.
    pub instance: &'a Arc<Instance>,
    /// Who registered it.
    pub registrant: &'a Registrant,
    /// The weight it registered with.
    pub weight: Weight,
    /// Its time to live.
    pub ttl: Duration,
}

impl Registered<'_> {
    /// What it registered with, as [`Records::restore`] takes it.
    #[must_use]
    pub fn facts(&self) -> Instance {
        Instance { weight: self.weight, ..(**self.instance).clone() }
    }
}

impl Records {
    /// Everything known of this service; empty if it is not known.
    #[must_use]
    pub fn view(&self, service: &ServiceName) -> View {
        let instances = self.services.get(service).map_or_else(Vec::new, |service| {
            service.entries.values().map(|entry| Arc::clone(&entry.shown)).collect()
        });
        View { revision: self.revision_of(service), instances }
    }

    /// The view of this service, unless `revision` is its revision still.
    ///
    /// There is no history: who falls behind sees the newest view, which holds every change. A
    /// revision from the future, as after a restart that lost it, is answered at once too.
    #[must_use]
    pub fn changed_since(&self, service: &ServiceName, revision: u64) -> Option<View> {
        (self.revision_of(service) != revision).then(|| self.view(service))
    }

    /// Every registration, to be saved.
    pub fn registrations(&self) -> impl Iterator<Item = Registered<'_>> {
        self.services.iter().flat_map(|(service, recorded)| {
            recorded.entries.values().map(move |entry| Registered {
                service,
                instance: &entry.shown,
                registrant: &entry.registrant,
                weight: entry.registered_weight,
                ttl: entry.ttl,
            })
        })
    }

    /// Every decision in force, as [`Self::decide`] takes it.
    pub fn decisions(&self) -> impl Iterator<Item = (&ServiceName, &InstanceId, Decision)> {
        self.services.iter().flat_map(|(name, service)| {
            service.decisions.iter().map(move |(id, (decision, _))| (name, id, *decision))
        })
    }

    /// The services that have instances or decisions.
    pub fn services(&self) -> impl ExactSizeIterator<Item = &ServiceName> {
        self.services.keys()
    }

    /// The revision of the last visible change.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// How many instances are registered, those in limbo included.
    #[must_use]
    pub const fn instances(&self) -> usize {
        self.instances
    }

    /// How many instances are in limbo.
    #[must_use]
    pub const fn missing(&self) -> usize {
        self.missing
    }

    /// The revision of this service: of its last visible change, or later.
    pub(super) fn revision_of(&self, service: &ServiceName) -> u64 {
        self.services.get(service).map_or(self.forgotten_at, |service| service.revision)
    }
}
