//! A running mesh: its services, its registry, and what it says of itself.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use authmesh_logic::Lane;
use authmesh_logic::circuit_breaker::Command;
use authmesh_logic::config::MeshConfig;
use authmesh_logic::discovery::ServiceName;

use crate::build_error::BuildError;
use crate::client::ServiceClient;
use crate::clock::Clock;
use crate::config;
use crate::discovery::{Registry, Source};
use crate::identity::MeshIdentity;
use crate::jwt::MeshTokens;
use crate::operator::{BreakerKey, UnknownBreaker};
use crate::running::{Running, Shared, open_registry, order};
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
        self.shared.read().command_breaker(key, command, who, why)
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

impl std::fmt::Debug for Mesh {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let running = self.shared.read();
        formatter.debug_struct("Mesh").field("services", &running.services.keys()).finish()
    }
}
