//! The services that a mesh runs, and what they share.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU16;
use std::sync::{Arc, PoisonError, RwLock};

use authmesh_logic::circuit_breaker::{Command, Transition};
use authmesh_logic::config::{DiscoverySource, MeshConfig, RegistryConfig, ServiceConfig};
use authmesh_logic::discovery::ServiceName;

use crate::build_error::BuildError;
use crate::clock::Clock;
use crate::discovery::{File, Fixed, Registry, RegistryError, Source};
use crate::driver::{Driving, Order, drive};
use crate::identity::MeshIdentity;
use crate::jwt::MeshTokens;
use crate::operator::{BreakerKey, Manual, UnknownBreaker};
use crate::roster::ServicePolicy;
use crate::service::{DEFAULT_OPERATION, Quotas, Service};
use crate::telemetry::{EventKind, EventSender};

/// What all clones of a mesh share.
pub(crate) struct Shared {
    pub(crate) lanes: u16,
    pub(crate) next_lane: AtomicU16,
    pub(crate) events: Arc<EventSender>,
    pub(crate) identity: Arc<MeshIdentity>,
    pub(crate) tokens: Arc<MeshTokens>,
    pub(crate) registry: Option<Registry>,
    pub(crate) quotas: Arc<Quotas>,
    pub(crate) running: RwLock<Running>,
}

/// What runs by the configuration in force.
pub(crate) struct Running {
    pub(crate) config: Arc<MeshConfig>,
    pub(crate) services: BTreeMap<ServiceName, Member>,
}

/// A service and the task that keeps its roster.
pub(crate) struct Member {
    pub(crate) service: Arc<Service>,
    pub(crate) driving: Driving,
    /// The source was handed in by the program, so a configuration cannot replace it.
    pub(crate) is_sourced_by_program: bool,
}

impl Running {
    /// Tells a breaker what an operator wants.
    pub(crate) fn command_breaker(
        &self,
        key: &BreakerKey,
        command: Command,
        who: &str,
        why: &str,
    ) -> Result<(), UnknownBreaker> {
        let unknown = || UnknownBreaker(key.clone());
        let member = self.services.get(key.service()).ok_or_else(unknown)?;
        let (service, now) = (&member.service, Clock.now());
        let policy = Arc::clone(&service.roster().policy);
        let note = Manual { who: who.into(), why: why.into(), since: Clock.time_of_day() };
        let moved = match key {
            BreakerKey::Operation { operation, .. } => {
                if !self.has_operation(service, operation) {
                    return Err(unknown());
                }
                let operation = service.operation(operation);
                operation.manual.write(Some(note));
                let transition = operation.breaker.load().command(&policy.breaker, command, now);
                transition.into_iter().for_each(|moved| operation.counters.moved(moved));
                let steps = transition.into_iter().flat_map(Transition::steps);
                let told = |transition| {
                    let operation = operation.name.to_string();
                    EventKind::ServiceBreaker { operation, transition }
                };
                steps.map(told).collect::<Vec<_>>()
            }
            BreakerKey::Instance { instance, .. } => {
                let state = member.driving.state.borrow();
                let found =
                    state.members.iter().find(|known| known.endpoint.cell.id.as_str() == instance);
                let cell = &found.ok_or_else(unknown)?.endpoint.cell;
                cell.manual.write(Some(note));
                let transition = cell.breaker.command(&policy.endpoint_breaker, command, now);
                transition.into_iter().for_each(|moved| cell.moved(moved));
                let steps = transition.into_iter().flat_map(Transition::steps);
                let told = |transition| {
                    let instance = cell.id.clone();
                    EventKind::EndpointBreaker { instance, transition }
                };
                steps.map(told).collect()
            }
        };
        let commanded = EventKind::BreakerCommanded {
            breaker: key.to_string(),
            command,
            who: who.into(),
            why: why.into(),
        };
        for kind in std::iter::once(commanded).chain(moved) {
            service.events.tell(Clock.time_of_day(), &service.name, kind);
        }
        Ok(())
    }

    /// Whether an operation was used, or is what a route does.
    fn has_operation(&self, service: &Service, name: &str) -> bool {
        name == DEFAULT_OPERATION
            || service.operations().iter().any(|operation| &*operation.name == name)
            || self
                .config
                .routes
                .iter()
                .any(|route| route.service == service.name && route.operation == name)
    }
}

impl Shared {
    pub(crate) fn read(&self) -> std::sync::RwLockReadGuard<'_, Running> {
        self.running.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn start(
        &self,
        mut first: Order,
        name: &ServiceName,
        is_sourced_by_program: bool,
    ) -> Member {
        let service = Arc::new(Service::new(
            name.clone(),
            Arc::clone(&first.policy),
            usize::from(self.lanes),
            Arc::clone(&self.events),
            Arc::clone(&self.quotas),
        ));
        let source = first.source.take().unwrap_or_else(|| Box::new(Fixed::new([])));
        let driving = drive(Arc::clone(&service), first, source);
        Member { service, driving, is_sourced_by_program }
    }

    pub(crate) fn source_of(&self, service: &ServiceConfig) -> Result<Box<dyn Source>, BuildError> {
        Ok(match &service.source {
            DiscoverySource::Static(addresses) => Box::new(Fixed::at(addresses.iter().cloned())),
            DiscoverySource::File(path) => Box::new(File::watch(&**path)),
            DiscoverySource::Registry => match &self.registry {
                Some(registry) => Box::new(registry.watch(&service.name)),
                None => return Err(BuildError::NoRegistry(service.name.clone())),
            },
        })
    }

    /// A source for each service that is new or learned elsewhere than before.
    pub(crate) fn changed_sources(
        &self,
        running: &Running,
        config: &MeshConfig,
    ) -> Result<BTreeMap<ServiceName, Box<dyn Source>>, BuildError> {
        let mut sources = BTreeMap::new();
        for service in &config.services {
            let before = running.config.services.iter().find(|old| old.name == service.name);
            let is_kept = before.is_some_and(|old| old.source == service.source);
            let is_programs =
                running.services.get(&service.name).is_some_and(|old| old.is_sourced_by_program);
            if !is_kept && !is_programs {
                sources.insert(service.name.clone(), self.source_of(service)?);
            }
        }
        Ok(sources)
    }
}

/// What the driver of a service is told.
pub(crate) fn order(
    service: &ServiceConfig,
    config: &MeshConfig,
    identity: &Arc<MeshIdentity>,
    source: Option<Box<dyn Source>>,
) -> Order {
    Order {
        policy: Arc::new(ServicePolicy::of(service, &config.network, identity)),
        health: service.health.clone(),
        source,
    }
}

/// The registry that the configuration wants in this process.
pub(crate) fn open_registry(config: &RegistryConfig) -> Result<Option<Registry>, RegistryError> {
    match config {
        RegistryConfig::None => Ok(None),
        RegistryConfig::Embedded { persist: None, .. } => Ok(Some(Registry::embedded())),
        RegistryConfig::Embedded { persist: Some(directory), .. } => {
            Registry::embedded_persisted(&**directory).map(Some)
        }
    }
}
