//! A running mesh: its services, its registry, and what it says of itself.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use authmesh_logic::Lane;
use authmesh_logic::circuit_breaker::{Command, Transition};
use authmesh_logic::config::{DiscoverySource, MeshConfig, RegistryConfig, ServiceConfig};
use authmesh_logic::discovery::ServiceName;

use crate::client::ServiceClient;
use crate::clock::Clock;
use crate::config::{self, Problems};
use crate::discovery::{File, Fixed, Registry, RegistryError, Source};
use crate::driver::{Driving, Order, drive};
use crate::identity::{IdentityFault, MeshIdentity};
use crate::jwt::MeshTokens;
use crate::operator::{BreakerKey, Manual, UnknownBreaker};
use crate::roster::ServicePolicy;
use crate::service::{DEFAULT_OPERATION, Quotas, Service};
use crate::snapshot::metrics_of;
use crate::status::{MeshStatus, ServiceStatus};
use crate::telemetry::{EventKind, EventReceiver, EventSender, MeshMetrics};

/// A running mesh. Cheap to clone; it stops when the last clone is dropped.
#[derive(Clone)]
pub struct Mesh {
    shared: Arc<Shared>,
}

/// Builds a [`Mesh`].
pub struct MeshBuilder {
    config: MeshConfig,
    lanes: u16,
    sources: BTreeMap<ServiceName, Box<dyn Source>>,
}

/// Why a mesh could not be built or changed.
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// The configuration has faults.
    Config(Problems),
    /// The files of the identity have faults.
    Identity(Vec<IdentityFault>),
    /// The registry could not be opened.
    Registry(RegistryError),
    /// A service is learned from the registry, and the configuration has none.
    NoRegistry(ServiceName),
    /// Where the registry keeps its records cannot be changed while the mesh runs.
    RegistryMoved,
}

struct Shared {
    lanes: u16,
    next_lane: AtomicU16,
    events: Arc<EventSender>,
    identity: Arc<MeshIdentity>,
    tokens: Arc<MeshTokens>,
    registry: Option<Registry>,
    quotas: Arc<Quotas>,
    running: RwLock<Running>,
}

struct Running {
    config: Arc<MeshConfig>,
    services: BTreeMap<ServiceName, Member>,
}

struct Member {
    service: Arc<Service>,
    driving: Driving,
    /// The source was handed in by the program, so a configuration cannot replace it.
    is_sourced_by_program: bool,
}

/// The most lanes a library user's clients are spread over.
const MOST_LANES: u16 = 16;

impl Mesh {
    /// Builds the mesh that a configuration file describes. Runs on the current tokio runtime.
    ///
    /// # Errors
    ///
    /// When the file has faults (all of them are told) or the registry cannot be opened.
    pub async fn load(path: impl AsRef<Path>) -> Result<Self, BuildError> {
        let loaded =
            config::load(path.as_ref(), config::Files::Look).map_err(BuildError::Config)?;
        Self::builder(loaded.config).build().await
    }

    /// Begins a mesh from a configuration that is checked already.
    #[must_use]
    pub fn builder(config: MeshConfig) -> MeshBuilder {
        MeshBuilder { config, lanes: MOST_LANES, sources: BTreeMap::new() }
    }

    /// A client of a service, on a lane of its own while there are any left; `None` if the mesh
    /// has no such service.
    #[must_use]
    pub fn service(&self, name: &str) -> Option<ServiceClient> {
        let lane = self.shared.next_lane.fetch_add(1, Ordering::Relaxed) % self.shared.lanes;
        self.service_on(name, Lane::new(lane))
    }

    /// A client of a service for a worker that knows its own lane.
    #[must_use]
    pub fn service_on(&self, name: &str, lane: Lane) -> Option<ServiceClient> {
        let running = self.shared.read();
        let member = running.services.iter().find(|(known, _)| known.as_str() == name)?.1;
        Some(ServiceClient::new(Arc::clone(&member.service), lane))
    }

    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> Arc<MeshConfig> {
        Arc::clone(&self.shared.read().config)
    }

    /// The registry in this process, if the configuration has one.
    #[must_use]
    pub fn registry(&self) -> Option<&Registry> {
        self.shared.registry.as_ref()
    }

    /// What this mesh proves itself with and whom it believes.
    #[must_use]
    pub fn identity(&self) -> &Arc<MeshIdentity> {
        &self.shared.identity
    }

    /// Whose tokens this mesh believes.
    #[must_use]
    pub fn tokens(&self) -> &Arc<MeshTokens> {
        &self.shared.tokens
    }

    /// What happens from now on.
    #[must_use]
    pub fn events(&self) -> EventReceiver {
        self.shared.events.receiver()
    }

    /// Tells an event of a service: for programs that run workers of their own, as the proxy does.
    pub fn tell(&self, service: &ServiceName, kind: EventKind) {
        self.shared.events.tell(Clock.time_of_day(), service, kind);
    }

    /// Every state with its reason and time. Asking changes nothing.
    #[must_use]
    pub fn status(&self) -> MeshStatus {
        let running = self.shared.read();
        let services = running.services.values();
        MeshStatus {
            services: services
                .map(|member| {
                    ServiceStatus::of(&member.service, &member.driving.state.borrow(), Clock.now())
                })
                .collect(),
            identity: self.shared.identity.status(),
            tokens: self.shared.tokens.status(),
            events: self.shared.events.told(),
        }
    }

    /// Closes the connections to instances that no request uses: for whoever sends no more, as a worker
    /// that has ended.
    pub fn close_unused(&self) {
        for member in self.shared.read().services.values() {
            for endpoint in &*member.service.roster().endpoints {
                endpoint.cell.transport.close_unused();
            }
        }
    }

    /// Everything that is counted, at this moment. Asking changes nothing.
    #[must_use]
    pub fn metrics(&self) -> MeshMetrics {
        let now = Clock.now();
        let running = self.shared.read();
        let services = running
            .services
            .values()
            .map(|member| metrics_of(&member.service, &member.driving.state.borrow(), now));
        MeshMetrics {
            services: services.collect(),
            registry: self.shared.registry.as_ref().map(Registry::metrics),
            identity: self.shared.identity.status(),
            tokens: self.shared.tokens.status(),
            stray_tokens: self.shared.tokens.strays(),
            events: self.shared.events.told(),
            events_missed: self.shared.events.missed(),
        }
    }

    /// Tells a breaker what an operator wants: `who` says so, and `why`. What it becomes by hand it
    /// stays until the command runs out or another is told, over changes of the configuration too.
    ///
    /// # Errors
    ///
    /// When there is no such breaker. An operation has one once it was used or is in a route.
    pub fn command_breaker(
        &self,
        key: &BreakerKey,
        command: Command,
        who: &str,
        why: &str,
    ) -> Result<(), UnknownBreaker> {
        let running = self.shared.read();
        let unknown = || UnknownBreaker(key.clone());
        let member = running.services.get(key.service()).ok_or_else(unknown)?;
        let (service, now) = (&member.service, Clock.now());
        let policy = Arc::clone(&service.roster().policy);
        let note = Manual { who: who.into(), why: why.into(), since: Clock.time_of_day() };
        let moved = match key {
            BreakerKey::Operation { operation, .. } => {
                if !running.has_operation(service, operation) {
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

    /// Waits until the source of every service has said something, at most `limit`. Returns the
    /// services that are still unknown.
    pub async fn ready(&self, limit: Duration) -> Vec<ServiceName> {
        let waiting: Vec<_> = {
            let running = self.shared.read();
            let services = running.services.iter();
            services.map(|(name, member)| (name.clone(), member.driving.state.clone())).collect()
        };
        let mut unknown = Vec::new();
        let deadline = tokio::time::sleep(limit);
        tokio::pin!(deadline);
        for (name, mut state) in waiting {
            tokio::select! {
                biased;
                known = state.wait_for(|state| state.is_known) => if known.is_err() {
                    unknown.push(name);
                },
                () = &mut deadline => unknown.push(name),
            }
        }
        unknown
    }

    /// Puts another configuration in force without losing a request: services that stay keep
    /// their endpoints, breakers and connections.
    ///
    /// # Errors
    ///
    /// When the new configuration cannot be built; the old one then stays in force untouched.
    pub async fn reconfigure(&self, config: MeshConfig) -> Result<(), BuildError> {
        if !self.shared.read().config.registry.is_same_engine(&config.registry) {
            return Err(BuildError::RegistryMoved);
        }
        let identity = &self.shared.identity;
        let credentials = identity.prepare(config.security.identity.as_ref());
        let credentials = credentials.map_err(BuildError::Identity)?;
        let mut orders = Vec::new();
        {
            let mut running = self.shared.running.write().unwrap_or_else(PoisonError::into_inner);
            let mut sources = self.shared.changed_sources(&running, &config)?;
            identity.adopt(credentials);
            self.shared.tokens.adopt(&config.security.providers);
            running.services.retain(|name, _| config.services.iter().any(|new| new.name == *name));
            for service in &config.services {
                let source = sources.remove(&service.name);
                let order = order(service, &config, identity, source);
                match running.services.get(&service.name) {
                    Some(member) => orders.push((member.driving.orders.clone(), order)),
                    None => {
                        let member = self.shared.start(order, &service.name, false);
                        running.services.insert(service.name.clone(), member);
                    }
                }
            }
            running.config = Arc::new(config);
        }
        for (driver, order) in orders {
            // A driver lives as long as its sender, which the mesh holds.
            let _ = driver.send(order).await;
        }
        Ok(())
    }
}

impl MeshBuilder {
    /// How many workers the clients of this mesh run on, 1 to 64; 16 if not said.
    #[must_use]
    pub fn lanes(mut self, lanes: u16) -> Self {
        self.lanes = lanes.clamp(1, 64);
        self
    }

    /// Where the instances of a service are learned, instead of what the configuration says.
    #[must_use]
    pub fn source(mut self, service: ServiceName, source: impl Source + 'static) -> Self {
        self.sources.insert(service, Box::new(source));
        self
    }

    /// Starts the mesh on the current tokio runtime.
    ///
    /// # Errors
    ///
    /// When the registry cannot be opened, or a service needs one and there is none.
    pub async fn build(mut self) -> Result<Mesh, BuildError> {
        let identity = MeshIdentity::none();
        let credentials = identity.prepare(self.config.security.identity.as_ref());
        identity.adopt(credentials.map_err(BuildError::Identity)?);
        identity.watch();
        let registry = open_registry(&self.config.registry).map_err(BuildError::Registry)?;
        let tokens = MeshTokens::none();
        tokens.adopt(&self.config.security.providers);
        let shared = Shared {
            lanes: self.lanes,
            next_lane: AtomicU16::new(0),
            events: Arc::new(EventSender::new()),
            identity,
            tokens,
            registry,
            quotas: Arc::default(),
            running: RwLock::new(Running {
                config: Arc::new(MeshConfig::default()),
                services: BTreeMap::new(),
            }),
        };
        let mut services = BTreeMap::new();
        for service in &self.config.services {
            let own = self.sources.remove(&service.name);
            let is_sourced_by_program = own.is_some();
            let source = match own {
                Some(source) => source,
                None => shared.source_of(service)?,
            };
            let order = order(service, &self.config, &shared.identity, Some(source));
            let member = shared.start(order, &service.name, is_sourced_by_program);
            services.insert(service.name.clone(), member);
        }
        let running = Running { config: Arc::new(self.config), services };
        Ok(Mesh { shared: Arc::new(Shared { running: RwLock::new(running), ..shared }) })
    }
}

impl Running {
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
    fn read(&self) -> std::sync::RwLockReadGuard<'_, Running> {
        self.running.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self, mut first: Order, name: &ServiceName, is_sourced_by_program: bool) -> Member {
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

    fn source_of(&self, service: &ServiceConfig) -> Result<Box<dyn Source>, BuildError> {
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
    fn changed_sources(
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

impl std::fmt::Debug for Mesh {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let running = self.shared.read();
        formatter.debug_struct("Mesh").field("services", &running.services.keys()).finish()
    }
}

impl std::fmt::Display for BuildError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Config(problems) => problems.fmt(formatter),
            Self::Identity(faults) => {
                formatter.write_str("the identity of the mesh cannot be used")?;
                faults.iter().try_for_each(|fault| write!(formatter, "\n{fault}"))
            }
            Self::Registry(error) => error.fmt(formatter),
            Self::NoRegistry(service) => write!(
                formatter,
                "service `{service}` is learned from the registry, and there is none; write \
                 `[registry]` with `kind = \"embedded\"`"
            ),
            Self::RegistryMoved => formatter.write_str(
                "`kind` and `persist` of `[registry]` cannot change while the mesh runs; stop it and \
                 start it again",
            ),
        }
    }
}

impl std::error::Error for BuildError {}

fn order(
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

fn open_registry(config: &RegistryConfig) -> Result<Option<Registry>, RegistryError> {
    match config {
        RegistryConfig::None => Ok(None),
        RegistryConfig::Embedded { persist: None, .. } => Ok(Some(Registry::embedded())),
        RegistryConfig::Embedded { persist: Some(directory), .. } => {
            Registry::embedded_persisted(&**directory).map(Some)
        }
    }
}
