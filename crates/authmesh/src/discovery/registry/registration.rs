//! A guard that keeps an instance registered.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use authmesh_logic::discovery::registry::{LeaseNumber, Refusal, Registrant};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::{Registry, RegistryError};
use crate::discovery::{Instance, InstanceId, ServiceName};

/// Heartbeats in one time to live: two may be lost before the lease runs out.
const BEATS_PER_TTL: u32 = 3;

/// An instance that is registered for as long as this lives.
///
/// A task on the runtime of whoever registered renews the lease; when it finds the instance
/// forgotten, it registers it again. A later registration of the same identifier replaces this
/// one, which then does nothing more. Dropping it deregisters the instance.
#[derive(Debug)]
#[must_use = "dropping it deregisters the instance"]
pub struct Registration {
    holder: Arc<Holder>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Holder {
    registry: Registry,
    service: ServiceName,
    instance: Instance,
    ttl: Duration,
    /// `None` once it was replaced or given back. Held while the registry is asked, so that a
    /// renewal under way cannot bring back what is being deregistered.
    lease: Mutex<Option<LeaseNumber>>,
}

impl Registration {
    pub(super) fn start(
        registry: &Registry,
        service: &ServiceName,
        instance: Instance,
        ttl: Duration,
    ) -> Result<Self, RegistryError> {
        let runtime = Handle::try_current().map_err(|_| RegistryError::NoRuntime)?;
        let granted = registry.record(service, instance.clone(), ttl)?;
        let holder = Arc::new(Holder {
            registry: registry.clone(),
            service: service.clone(),
            instance,
            ttl,
            lease: Mutex::new(Some(granted.lease)),
        });
        let task = runtime.spawn(Arc::clone(&holder).renew());
        Ok(Self { holder, task })
    }

    /// Which instance.
    #[must_use]
    pub fn id(&self) -> &InstanceId {
        &self.holder.instance.id
    }

    /// Whether it still stands: no later registration has replaced it.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.holder.lease().is_some()
    }

    /// Deregisters the instance, and waits until that is on disk if the registry is persisted.
    ///
    /// # Errors
    /// [`RegistryError::Storage`]: it is deregistered, but a restart may bring it back for one
    /// time to live.
    pub async fn deregister(self) -> Result<(), RegistryError> {
        self.holder.give_back();
        self.holder.registry.saved().await
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.task.abort();
        self.holder.give_back();
    }
}

impl Holder {
    async fn renew(self: Arc<Self>) {
        loop {
            tokio::time::sleep(self.ttl / BEATS_PER_TTL).await;
            if !self.beat() {
                return;
            }
        }
    }

    /// Renews once; `false` if there is nothing left to renew.
    fn beat(&self) -> bool {
        let mut lease = self.lease();
        let (service, id) = (&self.service, &self.instance.id);
        if lease.is_none() {
            return false;
        }
        let mut renewed = self.registry.heartbeat_of(&Registrant::Program, service, id, *lease);
        if renewed == Err(Refusal::Unknown) {
            renewed = self.registry.record(service, self.instance.clone(), self.ttl);
        }
        match renewed {
            Ok(granted) => *lease = Some(granted.lease),
            Err(Refusal::LeaseLost | Refusal::OlderIncarnation { .. }) => *lease = None,
            // The registry is full for now; the next beat tries again.
            Err(refusal) => tracing::warn!(%service, %id, %refusal, "not registered again"),
        }
        lease.is_some()
    }

    fn give_back(&self) {
        if let Some(lease) = self.lease().take() {
            // A refusal means that it is not registered any more: what was wanted.
            self.registry
                .deregister_of(&Registrant::Program, &self.service, &self.instance.id, Some(lease))
                .ok();
        }
    }

    fn lease(&self) -> MutexGuard<'_, Option<LeaseNumber>> {
        self.lease.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
