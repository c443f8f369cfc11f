//! Who may take requests now: the immutable value in which both lanes meet.

use std::sync::Arc;
use std::time::Duration;

use authmesh_logic::config::{AdmissionConfig, NetworkConfig, Protocol, ServiceConfig};
use authmesh_logic::load_balancer::{self, Candidate, LoadBalancer};
use authmesh_logic::{Moment, circuit_breaker, outlier, retry};

use crate::endpoint::Endpoint;
use crate::identity::{MeshIdentity, Pins};
use crate::luck::with_dice;
use crate::transport::ConnectionPolicy;

/// One generation of a service's roster.
pub(crate) struct Roster {
    pub(crate) endpoints: Box<[Endpoint]>,
    pub(crate) balancer: LoadBalancer,
    pub(crate) policy: Arc<ServicePolicy>,
    /// Since when the source has not been reached; `None` while it is.
    pub(crate) lost_since: Option<Moment>,
}

/// What a service's requests are held to: the part of its configuration the request lane reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServicePolicy {
    pub(crate) protocol: Protocol,
    /// Who the instances must prove to be.
    pub(crate) pins: Pins,
    pub(crate) terms: Terms,
    pub(crate) balance: load_balancer::Policy,
    pub(crate) breaker: circuit_breaker::Policy,
    pub(crate) endpoint_breaker: circuit_breaker::Policy,
    pub(crate) outlier: Option<outlier::Policy>,
    pub(crate) admission: AdmissionConfig,
}

/// The numbers an attempt needs, copied out so that no roster is held across a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) timeout: Duration,
    pub(crate) max_age: Option<Duration>,
    pub(crate) retry: retry::Policy,
    pub(crate) connections: ConnectionPolicy,
    /// Whether a breaker asks how long calls take.
    pub(crate) watches_slowness: bool,
}

impl ServicePolicy {
    pub(crate) fn of(
        service: &ServiceConfig,
        network: &NetworkConfig,
        identity: &Arc<MeshIdentity>,
    ) -> Self {
        Self {
            protocol: service.protocol,
            pins: Pins::new(identity, service.identity.clone()),
            terms: Terms {
                timeout: service.timeout,
                max_age: service.max_age,
                retry: service.retry,
                connections: ConnectionPolicy {
                    connect_timeout: network.connect_timeout,
                    keep_alive: network.keep_alive,
                    most_idle: network.pool_max_idle as usize,
                    oldest: network.pool_max_age,
                },
                watches_slowness: service.breaker.slow_rate.is_some()
                    || service.endpoint_breaker.slow_rate.is_some(),
            },
            balance: service.balance,
            breaker: service.breaker.clone(),
            endpoint_breaker: service.endpoint_breaker.clone(),
            outlier: service.outlier,
            admission: service.admission,
        }
    }
}

impl Roster {
    /// The roster of a service of which nothing is known yet.
    pub(crate) fn empty(policy: Arc<ServicePolicy>) -> Self {
        Self::new(Box::default(), policy, None)
    }

    pub(crate) fn new(
        endpoints: Box<[Endpoint]>,
        policy: Arc<ServicePolicy>,
        lost_since: Option<Moment>,
    ) -> Self {
        let weights = endpoints.iter().map(Candidate::weight);
        let balancer = with_dice(|dice| LoadBalancer::new(policy.balance, weights, dice));
        Self { endpoints, balancer, policy, lost_since }
    }

    /// Whether what is known is older than `most`.
    pub(crate) fn is_stale(&self, most: Option<Duration>, now: Moment) -> bool {
        match (most, self.lost_since) {
            (Some(most), Some(since)) => now.since(since) > most,
            _ => false,
        }
    }
}
