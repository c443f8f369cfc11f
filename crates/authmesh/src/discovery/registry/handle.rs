//! The registry as a program holds it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use authmesh_logic::discovery::registry::{
    Granted, LeaseNumber, Limits, Records, Refusal, Registrant,
};

use super::keeper::Keeper;
use super::shared::{Shared, State};
use super::{Registration, RegistryError, Watch};
use crate::clock::Clock;
use crate::discovery::{Administration, Instance, InstanceId, ServiceName, View, Weight};

/// What a registry holds now, and what has happened in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiscoveryMetrics {
    /// Services that have instances or decisions.
    pub services: usize,
    /// Registered instances, the missing included.
    pub instances: usize,
    /// Instances whose lease ran out and that were not given up yet.
    pub missing: usize,
    /// The revision of the last change.
    pub revision: u64,
    /// Waits for a change that are under way.
    pub watchers: usize,
    /// Registrations that were granted, repeated ones included.
    pub registrations: u64,
    /// Heartbeats that were taken.
    pub heartbeats: u64,
    /// Deregistrations.
    pub deregistrations: u64,
    /// Decisions of operators, lifted ones included.
    pub decisions: u64,
    /// Requests that were refused.
    pub refusals: u64,
    /// Leases that ran out.
    pub ran_out: u64,
    /// Instances that were given up.
    pub given_up: u64,
    /// Times the records were saved.
    pub saves: u64,
    /// Times they could not be.
    pub failed_saves: u64,
}

/// A registry in this process; its clones are the same registry.
///
/// It runs no task. Leases run out when their time has come, whoever looks or waits.
#[derive(Clone)]
pub struct Registry {
    shared: Arc<Shared>,
}

impl Registry {
    /// An empty registry that forgets everything when its last clone is dropped.
    #[must_use]
    pub fn embedded() -> Self {
        let records = Records::new(Limits::STANDARD, revision_of_now());
        Self { shared: Arc::new(Shared::new(State::new(records), None)) }
    }

    /// The registry that keeps its records in `directory`, which is made if it is missing.
    ///
    /// What was registered is registered again, each lease for its whole time to live. A change is
    /// on disk shortly after it was made ([`Self::saved`] waits for that); the file is replaced
    /// whole, so that no crash leaves half of it. A thread does the writing.
    ///
    /// # Errors
    /// [`RegistryError::Corrupt`] rather than an empty registry, if the file makes no sense;
    /// [`RegistryError::InUse`]; [`RegistryError::Storage`].
    pub fn embedded_persisted(directory: impl AsRef<Path>) -> Result<Self, RegistryError> {
        let records = Records::new(Limits::STANDARD, revision_of_now());
        let (state, keeper) = Keeper::start(directory.as_ref(), records)?;
        Ok(Self { shared: Arc::new(Shared::new(state, Some(keeper))) })
    }

    /// Registers an instance, and keeps it registered until the guard is dropped.
    ///
    /// # Errors
    /// [`RegistryError::Refused`]; [`RegistryError::NoRuntime`].
    pub fn register(
        &self,
        service: &ServiceName,
        instance: Instance,
        ttl: Duration,
    ) -> Result<Registration, RegistryError> {
        Registration::start(self, service, instance, ttl)
    }

    /// Registers an instance that renews by itself, with [`Self::heartbeat`] or this again.
    ///
    /// # Errors
    /// [`Refusal`]; nothing has changed then.
    pub fn record(
        &self,
        service: &ServiceName,
        instance: Instance,
        ttl: Duration,
    ) -> Result<Granted, Refusal> {
        self.record_by(&Registrant::Program, service, instance, ttl)
    }

    /// The same on behalf of somebody, who alone may then renew it, replace it or take it out.
    /// Whether this one may register that service is decided by [`Registrants`](super::Registrants), before.
    ///
    /// # Errors
    /// [`Refusal`]; nothing has changed then.
    pub fn record_by(
        &self,
        by: &Registrant,
        service: &ServiceName,
        instance: Instance,
        ttl: Duration,
    ) -> Result<Granted, Refusal> {
        self.shared.change(
            service,
            |records, now| records.register(by, service, instance, ttl, now),
            |counts| &mut counts.registrations,
        )
    }

    /// Takes proof that the instance lives.
    ///
    /// # Errors
    /// [`Refusal::Unknown`]: it must register again.
    pub fn heartbeat(&self, service: &ServiceName, id: &InstanceId) -> Result<Granted, Refusal> {
        self.heartbeat_of(&Registrant::Program, service, id, None)
    }

    /// The same on behalf of who registered it.
    ///
    /// # Errors
    /// [`Refusal::Unknown`]; [`Refusal::NotYours`].
    pub fn heartbeat_by(
        &self,
        by: &Registrant,
        service: &ServiceName,
        id: &InstanceId,
    ) -> Result<Granted, Refusal> {
        self.heartbeat_of(by, service, id, None)
    }

    /// Takes the instance out, at once; gives the revision.
    ///
    /// # Errors
    /// [`Refusal::Unknown`].
    pub fn deregister(&self, service: &ServiceName, id: &InstanceId) -> Result<u64, Refusal> {
        self.deregister_of(&Registrant::Program, service, id, None)
    }

    /// The same on behalf of who registered it.
    ///
    /// # Errors
    /// [`Refusal::Unknown`]; [`Refusal::NotYours`].
    pub fn deregister_by(
        &self,
        by: &Registrant,
        service: &ServiceName,
        id: &InstanceId,
    ) -> Result<u64, Refusal> {
        self.deregister_of(by, service, id, None)
    }

    /// Gives the instance this weight, whatever it registers with; `None` lifts that.
    ///
    /// # Errors
    /// [`Refusal::Unknown`], [`Refusal::TooManyDecisions`].
    pub fn set_weight(
        &self,
        service: &ServiceName,
        id: &InstanceId,
        weight: impl Into<Option<Weight>>,
    ) -> Result<u64, Refusal> {
        let weight = weight.into();
        self.shared.change(
            service,
            |records, _| records.set_weight(service, id, weight),
            |counts| &mut counts.decisions,
        )
    }

    /// Decides whether the instance may take requests, until it is decided otherwise: no restart
    /// and no new registration lifts it.
    ///
    /// # Errors
    /// [`Refusal::Unknown`], [`Refusal::TooManyDecisions`].
    pub fn set_administration(
        &self,
        service: &ServiceName,
        id: &InstanceId,
        administration: Administration,
    ) -> Result<u64, Refusal> {
        self.shared.change(
            service,
            |records, _| records.set_administration(service, id, administration),
            |counts| &mut counts.decisions,
        )
    }

    /// Everything known of this service now; empty if it is not known.
    #[must_use]
    pub fn list(&self, service: &ServiceName) -> View {
        self.shared.look(|state| state.records.view(service))
    }

    /// The services that have instances or decisions.
    #[must_use]
    pub fn services(&self) -> Vec<ServiceName> {
        self.shared.look(|state| state.records.services().cloned().collect())
    }

    /// A source that says what is known of this service, and each change.
    #[must_use]
    pub fn watch(&self, service: &ServiceName) -> Watch {
        Watch::new(self.clone(), service.clone())
    }

    /// Waits until the view of this service has another revision than this; needs a tokio runtime.
    ///
    /// A revision this registry never told is answered at once. Cancel-safe.
    pub async fn changed(&self, service: &ServiceName, revision: u64) -> View {
        self.shared.changed(service, revision).await
    }

    /// Waits until every change made so far is on disk; at once if the registry is not persisted.
    ///
    /// # Errors
    /// [`RegistryError::Storage`], if the next try fails.
    pub async fn saved(&self) -> Result<(), RegistryError> {
        let revision = self.shared.look(|state| state.records.revision());
        match &self.shared.keeper {
            Some(keeper) => keeper.saved(revision).await,
            None => Ok(()),
        }
    }

    /// What it holds now, and what has happened in it.
    #[must_use]
    pub fn metrics(&self) -> DiscoveryMetrics {
        let (saves, failed_saves) = self.shared.keeper.as_ref().map_or((0, 0), Keeper::counts);
        self.shared.look(|state| DiscoveryMetrics {
            services: state.records.services().len(),
            instances: state.records.instances(),
            missing: state.records.missing(),
            revision: state.records.revision(),
            watchers: state.watchers(),
            registrations: state.counts.registrations,
            heartbeats: state.counts.heartbeats,
            deregistrations: state.counts.deregistrations,
            decisions: state.counts.decisions,
            refusals: state.counts.refusals,
            ran_out: state.counts.ran_out,
            given_up: state.counts.given_up,
            saves,
            failed_saves,
        })
    }

    pub(super) fn heartbeat_of(
        &self,
        by: &Registrant,
        service: &ServiceName,
        id: &InstanceId,
        lease: Option<LeaseNumber>,
    ) -> Result<Granted, Refusal> {
        self.shared.change(
            service,
            |records, now| records.heartbeat(by, service, id, lease, now),
            |counts| &mut counts.heartbeats,
        )
    }

    pub(super) fn deregister_of(
        &self,
        by: &Registrant,
        service: &ServiceName,
        id: &InstanceId,
        lease: Option<LeaseNumber>,
    ) -> Result<u64, Refusal> {
        self.shared.change(
            service,
            |records, _| records.deregister(by, service, id, lease),
            |counts| &mut counts.deregistrations,
        )
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Registry").field("metrics", &self.metrics()).finish()
    }
}

/// Where the revisions of a new registry begin: at the time of day in microseconds.
///
/// So one that begins again empty repeats no revision that a watcher holds, and a reader that has
/// only floating-point numbers still reads it exactly (until the year 2255).
fn revision_of_now() -> u64 {
    let now = Clock.time_of_day().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_micros()).unwrap_or_default()
}
