//! What has been counted and what is in force, as plain values read at one moment.
//!
//! A snapshot holds on to nothing of the mesh it was read from. Numbers of things that happened
//! only grow until the mesh is built anew; numbers of things that are say what is now.

use std::time::Duration;

use authmesh_logic::Ratio;
use authmesh_logic::eligibility::Eligibility;
use authmesh_logic::outlier::Cause;

use super::counters::LATENCY_BUCKETS;
use crate::circuit_breaker::{CircuitBreakerMetrics, MoveCounts, RejectedReason, TrialResult};
use crate::discovery::{DiscoveryMetrics, InstanceId, ServiceName};
use crate::error::ErrorKind;
use crate::health::HealthMetrics;
use crate::identity::IdentityStatus;
use crate::jwt::{Counted, ProviderStatus};
use crate::load_balancer::LoadBalancerMetrics;

/// One reading of a whole mesh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeshMetrics {
    /// Its services, by name.
    pub services: Vec<ServiceMetrics>,
    /// The registry in this process, if there is one.
    pub registry: Option<DiscoveryMetrics>,
    /// How old certificates are and how handshakes ended, if there is an identity.
    pub identity: Option<IdentityStatus>,
    /// What came of tokens and of fetches of keys, by provider.
    pub tokens: Vec<ProviderStatus>,
    /// What came of tokens of which nobody knows whose they are.
    pub stray_tokens: Vec<Counted>,
    /// How many events were told.
    pub events: u64,
    /// How many of them receivers were too slow for.
    pub events_missed: u64,
}

/// One reading of one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceMetrics {
    /// Its name.
    pub name: ServiceName,
    /// The generation of its roster.
    pub generation: u64,
    /// Whether unhealthy instances take requests because no healthy one is left.
    pub panic: bool,
    /// For how long its source has not been reached; `None` while it is.
    pub source_lost: Option<Duration>,
    /// For how long no instance may take requests; `None` while one may.
    pub unroutable: Option<Duration>,
    /// Connections open to its instances.
    pub connections: u64,
    /// What requests did, by name of the operation.
    pub operations: Vec<OperationMetrics>,
    /// Its instances, by identifier.
    pub instances: Vec<InstanceMetrics>,
    /// How it spreads requests; its endpoints are those of [`Self::instances`], in their order.
    pub balancer: LoadBalancerMetrics,
    /// What checks did and conclude.
    pub health: HealthMetrics,
    /// What the breakers of its instances did, those of instances that have left included.
    pub endpoint_breakers: EndpointBreakersMetrics,
    /// How often instances were ejected, in the order of [`Cause::ALL`].
    pub ejections: [u64; Cause::ALL.len()],
}

/// One reading of how much of an operation's load is let in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AdmissionMetrics {
    /// How many requests may be in flight at once, if that is bounded.
    pub limit: Option<u32>,
    /// How many are, if that is bounded.
    pub in_flight: Option<u32>,
    /// Which share is refused because only a share is served, if that is watched.
    pub shed: Option<Ratio>,
}

/// One reading of one operation: what happened to its requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationMetrics {
    /// Its name.
    pub name: String,
    /// Its breaker; the results it took in are the attempts, by what their outcome says.
    pub breaker: CircuitBreakerMetrics,
    /// How much of its load is let in, if there is a bound.
    pub admission: Option<AdmissionMetrics>,
    /// For how long its own quota is still closed, if it is.
    pub quota_closed: Option<Duration>,
    /// Requests that got the head of an answer.
    pub answered: u64,
    /// Requests that got none, in the order of [`ErrorKind::ALL`].
    pub failed: [u64; ErrorKind::ALL.len()],
    /// Attempts beyond the first of a request.
    pub retries: u64,
    /// Endpoints chosen.
    pub picks: u64,
    /// Time to the head of the answer of answered requests, by bucket of
    /// [`LATENCY_BOUNDS_MS`](super::LATENCY_BOUNDS_MS).
    pub latency: [u64; LATENCY_BUCKETS],
    /// The sum of those times, in microseconds.
    pub latency_sum_us: u64,
}

/// One reading of all endpoint breakers of a service together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointBreakersMetrics {
    /// Changes of state.
    pub moves: MoveCounts,
    /// Calls refused, in the order of [`RejectedReason::ALL`].
    pub rejected: [u64; RejectedReason::ALL.len()],
    /// Trials that came back, in the order of [`TrialResult::ALL`].
    pub trials: [u64; TrialResult::ALL.len()],
}

/// One reading of one instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceMetrics {
    /// Its identifier.
    pub id: InstanceId,
    /// Whether it may take requests, or why not.
    pub eligibility: Eligibility,
    /// Its breaker; the results it took in are the attempts at this instance, of any operation.
    pub breaker: CircuitBreakerMetrics,
}

impl MeshMetrics {
    /// One service of it.
    #[must_use]
    pub fn service(&self, name: &str) -> Option<&ServiceMetrics> {
        self.services.iter().find(|service| service.name.as_str() == name)
    }
}

impl ServiceMetrics {
    /// One operation of it; requests for which none is named do `default`.
    #[must_use]
    pub fn operation(&self, name: &str) -> Option<&OperationMetrics> {
        self.operations.iter().find(|operation| operation.name == name)
    }

    /// Attempts in flight at all of its instances.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.balancer.endpoints.iter().map(|endpoint| endpoint.in_flight).sum()
    }
}
