//! What operators decide about instances.

use super::super::{Decision, Refusal};
use super::Records;
use crate::discovery::{Administration, InstanceId, ServiceName, Weight};

impl Records {
    /// Gives the instance this weight, whatever it registers with; `None` lifts that.
    ///
    /// # Errors
    /// [`Refusal::Unknown`], [`Refusal::TooManyDecisions`].
    pub fn set_weight(
        &mut self,
        service: &ServiceName,
        id: &InstanceId,
        weight: Option<Weight>,
    ) -> Result<u64, Refusal> {
        let decision = self.decision(service, id)?;
        self.decide(service, id, Decision { weight, ..decision })
    }

    /// Decides whether the instance may take requests, until it is decided otherwise: it outlives
    /// the registration.
    ///
    /// # Errors
    /// [`Refusal::Unknown`], [`Refusal::TooManyDecisions`].
    pub fn set_administration(
        &mut self,
        service: &ServiceName,
        id: &InstanceId,
        administration: Administration,
    ) -> Result<u64, Refusal> {
        let decision = self.decision(service, id)?;
        self.decide(service, id, Decision { administration, ..decision })
    }

    /// Puts a decision in force, whether or not the instance is registered; gives the revision.
    ///
    /// # Errors
    /// [`Refusal::TooManyDecisions`], [`Refusal::TooManyServices`].
    pub fn decide(
        &mut self,
        service: &ServiceName,
        id: &InstanceId,
        decision: Decision,
    ) -> Result<u64, Refusal> {
        let present = self.services.get(service);
        let known = present.is_some_and(|service| service.decisions.contains_key(id));
        if present.is_none() && self.services.len() >= self.limits.services {
            return Err(Refusal::TooManyServices);
        }
        match (known, decision.is_empty()) {
            (false, false) => {
                if self.decisions >= self.limits.decisions && !self.forget_a_decision() {
                    return Err(Refusal::TooManyDecisions);
                }
                self.decisions += 1;
            }
            (true, true) => self.decisions -= 1,
            _ => {}
        }
        let revision = self.revision;
        let service_entry = self.service_mut(service);
        let before = service_entry.decision(id);
        if decision.is_empty() {
            service_entry.decisions.remove(id);
        } else {
            service_entry.decisions.insert(id.clone(), (decision, revision));
        }
        if let Some(entry) = service_entry.entries.get_mut(id) {
            entry.show_decision(decision);
        }
        if decision != before {
            self.touch(service);
        }
        self.forget_if_empty(service);
        Ok(self.revision_of(service))
    }

    /// The decision in force about an instance that is registered or decided about.
    fn decision(&self, service: &ServiceName, id: &InstanceId) -> Result<Decision, Refusal> {
        let service = self.services.get(service).ok_or(Refusal::Unknown)?;
        if service.entries.contains_key(id) || service.decisions.contains_key(id) {
            Ok(service.decision(id))
        } else {
            Err(Refusal::Unknown)
        }
    }

    /// Forgets the oldest decision that says nothing of anybody present and keeps nobody out.
    fn forget_a_decision(&mut self) -> bool {
        let forgettable = self.services.iter().flat_map(|(name, service)| {
            service.decisions.iter().filter_map(move |(id, (decision, revision))| {
                let idle = decision.is_forgettable() && !service.entries.contains_key(id);
                idle.then_some((*revision, name, id))
            })
        });
        let Some((_, service, id)) = forgettable.min() else { return false };
        let (service, id) = (service.clone(), id.clone());
        self.service_mut(&service).decisions.remove(&id);
        self.decisions -= 1;
        self.forget_if_empty(&service);
        true
    }
}
