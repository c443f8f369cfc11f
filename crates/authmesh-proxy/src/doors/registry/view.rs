//! A view as JSON.

use std::collections::BTreeMap;

use authmesh::discovery::{Administration, Instance, Lease, ServiceName, View};
use authmesh::identity::SpiffeId;
use serde::Serialize;

/// What is known of one service, as workloads read it.
#[derive(Serialize)]
pub(super) struct ViewText<'a> {
    service: &'a str,
    /// What to ask with in `?watch=` for whatever comes after it.
    revision: u64,
    instances: Vec<InstanceText<'a>>,
}

#[derive(Serialize)]
struct InstanceText<'a> {
    id: &'a str,
    incarnation: u64,
    addresses: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<&'a str>,
    weight: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    metadata: &'a BTreeMap<String, String>,
    administration: &'static str,
    lease: &'static str,
}

impl<'a> ViewText<'a> {
    pub(super) fn of(service: &'a ServiceName, view: &'a View) -> Self {
        let instances = view.instances.iter().map(|instance| InstanceText::of(instance)).collect();
        Self { service: service.as_str(), revision: view.revision, instances }
    }
}

impl<'a> InstanceText<'a> {
    fn of(instance: &'a Instance) -> Self {
        Self {
            id: instance.id.as_str(),
            incarnation: instance.incarnation,
            addresses: instance.addresses.iter().map(ToString::to_string).collect(),
            identity: instance.identity.as_ref().map(SpiffeId::as_str),
            zone: instance.zone.as_deref(),
            weight: instance.weight.as_shares(),
            version: instance.version.as_deref(),
            metadata: &instance.metadata,
            administration: match instance.administration {
                Administration::Enabled => "enabled",
                Administration::Draining => "draining",
                Administration::Quarantined => "quarantined",
            },
            lease: match instance.lease {
                Lease::NotNeeded => "not_needed",
                Lease::Held => "held",
                Lease::Expired { .. } => "expired",
            },
        }
    }
}
