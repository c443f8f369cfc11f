//! What `/v1/status` and its parts say: every state with its reason and time.

use authmesh::identity::IdentityStatus;
use authmesh::jwt::ProviderStatus;
use authmesh::status::{BreakerStatus, MeshStatus, ServiceStatus};
use serde::Serialize;

use crate::doors::readiness::{Missing, Readiness};
use crate::doors::standing::{LastReload, Phase, Standing};
use crate::doors::time_text::time_text;
use crate::load::Load;

/// The state of the whole proxy.
#[derive(Serialize)]
pub(crate) struct Report {
    version: &'static str,
    pid: u32,
    since: String,
    ready: bool,
    missing: Vec<Missing>,
    draining: bool,
    listeners: Vec<Place>,
    doors: Vec<Place>,
    #[serde(flatten)]
    load: Load,
    last_reload: Option<LastReload>,
    reload_failures: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<IdentityStatus>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tokens: Vec<ProviderStatus>,
    services: Vec<ServiceStatus>,
    events: u64,
}

/// Something that listens.
#[derive(Serialize)]
struct Place {
    name: String,
    address: String,
}

/// One breaker with its key: `SERVICE/OPERATION`, or `SERVICE@INSTANCE` for that of an instance.
#[derive(Serialize)]
pub(crate) struct BreakerReport<'a> {
    key: String,
    service: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<&'a str>,
    #[serde(flatten)]
    breaker: &'a BreakerStatus,
}

impl BreakerReport<'_> {
    /// Whether it is the breaker of this key.
    pub(crate) fn is(&self, key: &str) -> bool {
        self.key == key
    }
}

impl Report {
    pub(crate) fn of(standing: &Standing) -> Self {
        let status = standing.mesh.status();
        let Readiness { ready, missing, .. } = Readiness::of(standing, &status);
        let listeners = standing.listeners().into_iter();
        let doors = standing.doors().into_iter();
        Self {
            version: env!("CARGO_PKG_VERSION"),
            pid: std::process::id(),
            since: time_text(standing.since),
            ready,
            missing,
            draining: standing.phase().0 == Phase::Draining,
            listeners: listeners
                .map(|(name, address)| Place { name, address: address.to_string() })
                .collect(),
            doors: doors
                .map(|(name, address)| Place { name: name.into(), address: address.to_string() })
                .collect(),
            load: standing.load(),
            last_reload: standing.last_reload(),
            reload_failures: standing.reload_failures(),
            identity: status.identity,
            tokens: status.tokens,
            services: status.services,
            events: status.events,
        }
    }
}

/// Every breaker of a mesh.
pub(crate) fn breakers(status: &MeshStatus) -> Vec<BreakerReport<'_>> {
    let mut reports = Vec::new();
    for service in &status.services {
        let name = service.name.as_str();
        reports.extend(service.operations.iter().map(|operation| BreakerReport {
            key: format!("{name}/{}", operation.name),
            service: name,
            operation: Some(&operation.name),
            instance: None,
            breaker: &operation.breaker,
        }));
        reports.extend(service.instances.iter().map(|instance| BreakerReport {
            key: format!("{name}@{}", instance.id),
            service: name,
            operation: None,
            instance: Some(&instance.id),
            breaker: &instance.breaker,
        }));
    }
    reports
}
