//! The state of a registry: registrations with their leases, and a revision that grows.

mod decide;
mod entry;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
mod views;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use self::entry::{Entry, Service};
pub use self::views::Registered;
use super::limits::{check, limbo, text_bytes};
use super::{Limits, Refusal, Registrant};
use crate::Moment;
use crate::discovery::{Instance, InstanceId, Lease, ServiceName};

/// Which lease: each registration gets another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseNumber(u64);

/// What a registration or a heartbeat was answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Granted {
    /// The lease that is held now.
    pub lease: LeaseNumber,
    /// How long, from now on, without a heartbeat.
    pub ttl: Duration,
    /// The revision of the service.
    pub revision: u64,
}

/// What the passing of time took away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Departure {
    /// The lease ran out: the instance is missing, and in limbo.
    Missing(ServiceName, InstanceId),
    /// The limbo has passed: the instance is no longer in the view.
    GivenUp(ServiceName, InstanceId),
}

/// Who is registered, by service.
///
/// What time brings about happens in [`Self::expire`] and nowhere else; call it with the same
/// moment before any other operation. Revisions are of the whole registry and only grow: with each
/// visible change, and with each change that must be saved. That of a service is the revision of
/// its last such change, or later.
#[derive(Debug)]
pub struct Records {
    limits: Limits,
    revision: u64,
    /// The revision at which the last service was forgotten: that of every service not recorded.
    forgotten_at: u64,
    last_lease: u64,
    services: BTreeMap<ServiceName, Service>,
    deadlines: BTreeSet<(Moment, ServiceName, InstanceId)>,
    instances: usize,
    missing: usize,
    text_bytes: usize,
    decisions: usize,
}

impl Records {
    /// Nobody is registered, and the next change has a revision above `revision`.
    ///
    /// A registry that begins again empty must begin above every revision it has told, or a
    /// watcher would take its new beginning for what it has seen.
    #[must_use]
    pub fn new(limits: Limits, revision: u64) -> Self {
        Self {
            limits,
            revision,
            forgotten_at: revision,
            last_lease: 0,
            services: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            instances: 0,
            missing: 0,
            text_bytes: 0,
            decisions: 0,
        }
    }

    /// Records `facts` as registered `by` somebody, or replaces what the same one recorded under
    /// that identifier. What the facts say of lease and administration is not theirs to say, and is
    /// passed over; so is what they say of the identity, unless the program itself says it: it is
    /// what who registers has proved.
    ///
    /// # Errors
    /// [`Refusal`]; nothing has changed then.
    pub fn register(
        &mut self,
        by: &Registrant,
        service: &ServiceName,
        mut facts: Instance,
        ttl: Duration,
        now: Moment,
    ) -> Result<Granted, Refusal> {
        check(&facts, ttl)?;
        by.mark(&mut facts);
        let present = self.services.get(service);
        let before = present.and_then(|service| service.entries.get(&facts.id));
        if before.is_some_and(|before| !by.may_change_what(&before.registrant)) {
            return Err(Refusal::NotYours);
        }
        if let Some(before) = before
            && before.shown.incarnation > facts.incarnation
        {
            return Err(Refusal::OlderIncarnation { registered: before.shown.incarnation });
        }
        if present.is_none() && self.services.len() >= self.limits.services {
            return Err(Refusal::TooManyServices);
        }
        if before.is_none() && self.instances >= self.limits.instances {
            return Err(Refusal::TooManyInstances);
        }
        let text_before = before.map_or(0, |before| text_bytes(&before.shown));
        let text = self.text_bytes - text_before + text_bytes(&facts);
        if text > self.limits.text_bytes {
            return Err(Refusal::TooMuchText);
        }

        self.text_bytes = text;
        self.last_lease += 1;
        let lease = LeaseNumber(self.last_lease);
        let service_entry = self.service_mut(service);
        let registered_weight = facts.weight;
        let decision = service_entry.decision(&facts.id);
        facts.administration = decision.administration;
        facts.weight = decision.weight.unwrap_or(registered_weight);
        facts.lease = Lease::Held;
        let (id, deadline) = (facts.id.clone(), now + ttl);
        let shown = Arc::new(facts);
        let entry = Entry {
            shown: Arc::clone(&shown),
            registered_weight,
            registrant: by.clone(),
            lease,
            ttl,
            deadline,
        };
        let before = service_entry.entries.insert(id.clone(), entry);
        match &before {
            None => self.instances += 1,
            Some(before) => {
                self.missing -= usize::from(before.is_expired());
                self.deadlines.remove(&(before.deadline, service.clone(), id.clone()));
            }
        }
        self.deadlines.insert((deadline, service.clone(), id));
        let is_same =
            |before: &Entry| before.shown == shown && before.ttl == ttl && before.registrant == *by;
        if !before.as_ref().is_some_and(is_same) {
            self.touch(service);
        }
        Ok(Granted { lease, ttl, revision: self.revision_of(service) })
    }

    /// Proves that the instance lives: its lease begins anew. With a `lease`, only if it is the
    /// one that is held.
    ///
    /// # Errors
    /// [`Refusal::Unknown`], [`Refusal::NotYours`], [`Refusal::LeaseLost`].
    pub fn heartbeat(
        &mut self,
        by: &Registrant,
        service: &ServiceName,
        id: &InstanceId,
        lease: Option<LeaseNumber>,
        now: Moment,
    ) -> Result<Granted, Refusal> {
        let entry = self.held_by(by, service, id, lease)?;
        let (lease, ttl, revived) = (entry.lease, entry.ttl, entry.is_expired());
        let (before, deadline) = (entry.deadline, now + ttl);
        entry.deadline = deadline;
        if revived {
            entry.show_lease(Lease::Held);
            self.missing -= 1;
            self.touch(service);
        }
        self.deadlines.remove(&(before, service.clone(), id.clone()));
        self.deadlines.insert((deadline, service.clone(), id.clone()));
        Ok(Granted { lease, ttl, revision: self.revision_of(service) })
    }

    /// Takes the instance out of the view, at once; gives the revision. With a `lease`, only if it
    /// is the one that is held.
    ///
    /// # Errors
    /// [`Refusal::Unknown`], [`Refusal::NotYours`], [`Refusal::LeaseLost`].
    pub fn deregister(
        &mut self,
        by: &Registrant,
        service: &ServiceName,
        id: &InstanceId,
        lease: Option<LeaseNumber>,
    ) -> Result<u64, Refusal> {
        let deadline = self.held_by(by, service, id, lease)?.deadline;
        self.deadlines.remove(&(deadline, service.clone(), id.clone()));
        self.remove(service, id);
        Ok(self.revision_of(service))
    }

    /// Lets everything happen that time has brought about until `now`, and says what.
    pub fn expire(&mut self, now: Moment) -> Vec<Departure> {
        let mut departures = Vec::new();
        while self.next_expiry().is_some_and(|due| due <= now) {
            let Some((due, service, id)) = self.deadlines.pop_first() else { break };
            let entry =
                self.services.get_mut(&service).and_then(|service| service.entries.get_mut(&id));
            let Some(entry) = entry else { continue };
            if entry.is_expired() {
                self.remove(&service, &id);
                departures.push(Departure::GivenUp(service, id));
            } else {
                self.miss(&service, &id, due);
                departures.push(Departure::Missing(service, id));
            }
        }
        departures
    }

    /// When time will bring something about next.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Moment> {
        self.deadlines.first().map(|(due, _, _)| *due)
    }

    /// Takes in a registration that was saved; see [`Self::registrations`]. It is `by` whom it was. A held lease begins
    /// anew; one that had run out is still missing, and its limbo begins anew.
    ///
    /// # Errors
    /// As [`Self::register`].
    pub fn restore(
        &mut self,
        by: &Registrant,
        service: &ServiceName,
        saved: Instance,
        ttl: Duration,
        now: Moment,
    ) -> Result<(), Refusal> {
        let (id, missing) = (saved.id.clone(), matches!(saved.lease, Lease::Expired { .. }));
        self.register(by, service, saved, ttl, now)?;
        if missing {
            self.deadlines.remove(&(now + ttl, service.clone(), id.clone()));
            self.miss(service, &id, now);
        }
        Ok(())
    }

    fn held_by(
        &mut self,
        by: &Registrant,
        service: &ServiceName,
        id: &InstanceId,
        lease: Option<LeaseNumber>,
    ) -> Result<&mut Entry, Refusal> {
        let service = self.services.get_mut(service).ok_or(Refusal::Unknown)?;
        let entry = service.entries.get_mut(id).ok_or(Refusal::Unknown)?;
        if !by.may_change_what(&entry.registrant) {
            return Err(Refusal::NotYours);
        }
        if lease.is_some_and(|lease| lease != entry.lease) {
            return Err(Refusal::LeaseLost);
        }
        Ok(entry)
    }

    /// Begins the limbo of an instance whose lease ran out `at`; its deadline is not planned.
    fn miss(&mut self, service: &ServiceName, id: &InstanceId, at: Moment) {
        let entry = self.services.get_mut(service).and_then(|service| service.entries.get_mut(id));
        let Some(entry) = entry else { return };
        entry.show_lease(Lease::Expired { at });
        entry.deadline = at + limbo(entry.ttl);
        self.deadlines.insert((entry.deadline, service.clone(), id.clone()));
        self.missing += 1;
        self.touch(service);
    }

    /// Takes out an instance whose deadline is no longer planned.
    fn remove(&mut self, service: &ServiceName, id: &InstanceId) {
        let known = self.services.get_mut(service);
        let Some(entry) = known.and_then(|service| service.entries.remove(id)) else { return };
        self.instances -= 1;
        self.missing -= usize::from(entry.is_expired());
        self.text_bytes -= text_bytes(&entry.shown);
        self.touch(service);
        self.forget_if_empty(service);
    }

    /// The service of this name; a new one continues where services that are not recorded stand.
    fn service_mut(&mut self, name: &ServiceName) -> &mut Service {
        let revision = self.forgotten_at;
        self.services.entry(name.clone()).or_insert_with(|| Service::new(revision))
    }

    /// Something of this service has changed that is visible or must be saved.
    fn touch(&mut self, service: &ServiceName) {
        self.revision += 1;
        if let Some(service) = self.services.get_mut(service) {
            service.revision = self.revision;
        }
    }

    fn forget_if_empty(&mut self, service: &ServiceName) {
        if self.services.get(service).is_some_and(Service::is_empty) {
            self.services.remove(service);
            self.forgotten_at = self.revision;
        }
    }
}
