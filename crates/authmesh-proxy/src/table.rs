//! What one worker serves by: routes, clients and limits, swapped whole at a reload.

use std::sync::Arc;

use authmesh::worker::Treatment;
use authmesh::{Mesh, ServiceClient};
use authmesh_logic::Lane;
use authmesh_logic::config::{Limits, ListenerConfig, MeshConfig, RouteConfig};
use authmesh_logic::hygiene::TrustedNetwork;
use authmesh_logic::routing::{Route, Routes};
use http::HeaderName;

use crate::access::Access;

const IDENTITY: HeaderName = HeaderName::from_static("x-authmesh-identity");

/// One worker's table.
pub(crate) struct Table {
    routes: Routes,
    /// The client of each route, by the route's place.
    clients: Box<[ServiceClient]>,
    listeners: Box<[Listener]>,
    pub(crate) limits: Limits,
    pub(crate) access: Arc<Access>,
    pub(crate) trusted: Box<[TrustedNetwork]>,
    /// Says upstream who the caller proved to be.
    pub(crate) identity_header: HeaderName,
}

struct Listener {
    name: Arc<str>,
    /// Takes what no route takes.
    fallback: Option<ServiceClient>,
}

/// Where a request goes.
pub(crate) enum Destination {
    /// To this service.
    Service(ServiceClient),
    /// Nowhere: no route takes it.
    Nowhere,
}

impl Destination {
    /// The name of the service; empty where there is none.
    pub(crate) fn service(&self) -> &str {
        match self {
            Self::Service(service) => service.name(),
            Self::Nowhere => "",
        }
    }
}

impl Table {
    /// The table of the worker on `lane`. Routes of services or listeners that there are not are
    /// left out; a checked configuration has none.
    pub(crate) fn new(mesh: &Mesh, config: &MeshConfig, access: &Arc<Access>, lane: Lane) -> Self {
        let mut routes = Vec::new();
        let mut clients = Vec::new();
        for route in &config.routes {
            let Some(client) = mesh.service_on(route.service.as_str(), lane) else { continue };
            let listeners = &config.network.listeners;
            let Some(described) = described(route, clients.len(), listeners) else { continue };
            routes.push(described);
            let client = client.operation(&route.operation).treated(treatment(route));
            clients.push(match &route.quota {
                Some(quota) => client.quota(quota),
                None => client,
            });
        }
        let listeners = config.network.listeners.iter().map(|listener| Listener {
            name: listener.name.as_str().into(),
            fallback: listener
                .forward_to
                .as_ref()
                .and_then(|service| mesh.service_on(service.as_str(), lane)),
        });
        Self {
            routes: Routes::new(routes),
            clients: clients.into(),
            listeners: listeners.collect(),
            limits: config.network.limits,
            access: Arc::clone(access),
            trusted: config.security.trusted_proxies.clone().into(),
            identity_header: config
                .security
                .identity_header
                .as_ref()
                .and_then(|name| name.parse().ok())
                .unwrap_or(IDENTITY),
        }
    }

    /// Where a request of the listener called `listener` goes.
    pub(crate) fn find(&self, listener: &str, method: &str, host: &str, path: &str) -> Destination {
        let Some(index) = self.listeners.iter().position(|known| &*known.name == listener) else {
            return Destination::Nowhere;
        };
        let routed = self.routes.find(index, method, host, path);
        let client = routed
            .and_then(|route| self.clients.get(route))
            .or(self.listeners[index].fallback.as_ref());
        client.cloned().map_or(Destination::Nowhere, Destination::Service)
    }
}

/// The route as the table compares it. A route of a listener that there is not takes nothing: it
/// must not become one of every listener.
fn described(route: &RouteConfig, target: usize, listeners: &[ListenerConfig]) -> Option<Route> {
    let place = |name: &String| listeners.iter().position(|listener| listener.name == *name);
    let listener = match &route.listener {
        Some(name) => Some(place(name)?),
        None => None,
    };
    let (hosts, paths) = (route.hosts.clone(), route.paths.clone());
    Some(Route { listener, hosts, paths, methods: route.methods.clone(), target })
}

fn treatment(route: &RouteConfig) -> Treatment {
    Treatment {
        class: route.class,
        classifier: route.classifier,
        priority: route.priority,
        timeout: route.timeout,
        retry: route.retry,
    }
}
