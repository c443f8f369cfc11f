//! Every state of a mesh with its reason and time, as one value.

use std::time::Duration;

use authmesh_logic::circuit_breaker::{AdvancedCircuitBreaker, Policy, State};
pub use authmesh_logic::eligibility::{Eligibility, Reason};
use authmesh_logic::{Moment, Ratio};
use serde::Serialize;

use crate::clock::Clock;
use crate::driver::{MemberState, ServiceState};
use crate::identity::IdentityStatus;
use crate::jwt::ProviderStatus;
use crate::operator::ManualNote;
pub use crate::operator::{BreakerKey, NotABreakerKey, UnknownBreaker};
use crate::service::{Operation, Service};
use crate::telemetry::AdmissionMetrics;

/// The state of a mesh.
#[derive(Clone, Debug, Serialize)]
pub struct MeshStatus {
    /// Its services, by name.
    pub services: Vec<ServiceStatus>,
    /// What it proves itself with, how old that is, and how handshakes end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<IdentityStatus>,
    /// Whose tokens it believes, and how old their keys are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<ProviderStatus>,
    /// How many events were told since it was built.
    pub events: u64,
}

/// The state of one service.
#[derive(Clone, Debug, Serialize)]
pub struct ServiceStatus {
    /// Its name.
    pub name: String,
    /// Whether its source has said anything yet.
    pub known: bool,
    /// The revision of the source's view.
    pub revision: u64,
    /// The generation of its roster.
    pub generation: u64,
    /// `normal`, or `panic` when unhealthy instances take requests because no healthy one is left.
    pub mode: &'static str,
    /// Why and for how long the source is not reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_lost: Option<SourceLost>,
    /// For how long no instance may take requests, in milliseconds, if none may.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unroutable_for_ms: Option<u64>,
    /// How many instances may take requests.
    pub routable: usize,
    /// How many instances are known.
    pub total: usize,
    /// How its endpoints are chosen.
    pub strategy: &'static str,
    /// Attempts in flight.
    pub in_flight: u64,
    /// Connections open to its instances.
    pub connections: u64,
    /// Its operations, by name.
    pub operations: Vec<OperationStatus>,
    /// Its instances, by identifier.
    pub instances: Vec<InstanceStatus>,
}

/// Why and for how long a source is not reached.
#[derive(Clone, Debug, Serialize)]
pub struct SourceLost {
    /// Why, in a sentence.
    pub reason: String,
    /// For how long, in milliseconds.
    pub for_ms: u64,
}

/// The state of one operation.
#[derive(Clone, Debug, Serialize)]
pub struct OperationStatus {
    /// Its name.
    pub name: String,
    /// Its breaker.
    pub breaker: BreakerStatus,
    /// How much of its load is let in, if there is a bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admission: Option<AdmissionStatus>,
    /// For how long its quota is still closed, in milliseconds, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota_closed_for_ms: Option<u64>,
}

/// How much of an operation's load is let in.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct AdmissionStatus {
    /// How many requests may be in flight at once, if that is bounded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// How many are, if that is bounded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_flight: Option<u32>,
    /// Which share is refused because only a share is served, 0 to 1, if that is watched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shed: Option<f64>,
}

/// The state of one breaker.
#[derive(Clone, Debug, Serialize)]
pub struct BreakerStatus {
    /// The word of its state.
    pub state: &'static str,
    /// How long it still refuses, in milliseconds, if it does and the time is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opens_for_ms: Option<u64>,
    /// Calls in its window.
    pub calls: u64,
    /// Failures in its window.
    pub failures: u64,
    /// Slow calls in its window.
    pub slow: u64,
    /// Failures in a row.
    pub consecutive_failures: u64,
    /// Who holds it in this state by hand, if somebody does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manual: Option<ManualStatus>,
}

/// Who holds a breaker by hand, why, and for how long.
#[derive(Clone, Debug, Serialize)]
pub struct ManualStatus {
    /// Who said so.
    pub who: String,
    /// Why.
    pub why: String,
    /// For how long it has been so, in milliseconds.
    pub for_ms: u64,
    /// When it ends by itself, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_in_ms: Option<u64>,
}

/// The state of one instance.
#[derive(Clone, Debug, Serialize)]
pub struct InstanceStatus {
    /// Its identifier.
    pub id: String,
    /// Where it is reached.
    pub address: String,
    /// Who it must prove to be, as it was registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// Whether it may take requests, in a word.
    pub state: &'static str,
    /// Why, in a sentence.
    pub reason: String,
    /// What checks conclude.
    pub health: &'static str,
    /// For how long, in milliseconds.
    pub health_for_ms: u64,
    /// Its share of the load; 1 is one share.
    pub weight: f64,
    /// Attempts in flight.
    pub in_flight: u64,
    /// Its breaker.
    pub breaker: BreakerStatus,
}

impl ServiceStatus {
    pub(crate) fn of(service: &Service, state: &ServiceState, now: Moment) -> Self {
        let roster = service.roster();
        let policy = &roster.policy;
        let operations = service.operations();
        let instances: Vec<_> = state
            .members
            .iter()
            .map(|member| InstanceStatus::of(member, &policy.endpoint_breaker, now))
            .collect();
        Self {
            name: service.name.to_string(),
            known: state.is_known,
            revision: state.revision,
            generation: state.generation,
            mode: if state.panic { "panic" } else { "normal" },
            source_lost: state.lost.as_ref().map(|(since, reason)| SourceLost {
                reason: reason.clone(),
                for_ms: millis(now.since(*since)),
            }),
            unroutable_for_ms: state.unroutable_since.map(|since| millis(now.since(since))),
            routable: roster.endpoints.len(),
            total: instances.len(),
            strategy: policy.balance.strategy.word(),
            in_flight: instances.iter().map(|instance| instance.in_flight).sum(),
            connections: service.open.count(),
            operations: operations
                .iter()
                .map(|operation| OperationStatus {
                    name: operation.name.to_string(),
                    breaker: BreakerStatus::of(
                        &operation.breaker.load(),
                        &operation.manual,
                        &policy.breaker,
                        now,
                    ),
                    admission: AdmissionStatus::of(operation, now),
                    quota_closed_for_ms: operation.quota.door.closed_for(now).map(millis),
                })
                .collect(),
            instances,
        }
    }
}

impl AdmissionStatus {
    fn of(operation: &Operation, now: Moment) -> Option<Self> {
        let metrics = operation.admission.load().as_ref()?.metrics(now);
        let AdmissionMetrics { limit, in_flight, shed } = metrics;
        Some(Self { limit, in_flight, shed: shed.map(Ratio::as_fraction) })
    }
}

impl InstanceStatus {
    fn of(member: &MemberState, breaker: &Policy, now: Moment) -> Self {
        let cell = &member.endpoint.cell;
        let reason = match (member.eligibility, member.ejection) {
            (Eligibility::Not(Reason::Ejected), Some(ejection)) => {
                let left = (ejection.at + ejection.lasts).since(now).as_secs();
                let cause = ejection.cause.sentence();
                format!("ejected: {cause}; {left} s left; health: {}", member.health.reason)
            }
            (Eligibility::Routable, _) => format!("health: {}", member.health.reason),
            (other, _) => format!("{}; health: {}", other.word(), member.health.reason),
        };
        Self {
            id: cell.id.to_string(),
            address: cell.transport.address().to_string(),
            identity: member.endpoint.instance.identity.as_ref().map(ToString::to_string),
            state: member.eligibility.word(),
            reason,
            health: member.health.status.word(),
            health_for_ms: millis(now.since(member.health.since)),
            weight: f64::from(member.endpoint.instance.weight.as_hundredths()) / 100.0,
            in_flight: cell.in_flight(),
            breaker: BreakerStatus::of(&cell.breaker, &cell.manual, breaker, now),
        }
    }
}

impl BreakerStatus {
    fn of(
        breaker: &AdvancedCircuitBreaker,
        note: &ManualNote,
        policy: &Policy,
        now: Moment,
    ) -> Self {
        let state = breaker.state(policy, now);
        let manual = note.read(state).map(|manual| ManualStatus {
            who: manual.who,
            why: manual.why,
            for_ms: millis(Clock.time_of_day().duration_since(manual.since).unwrap_or_default()),
            ends_in_ms: breaker.command_expires().map(|end| millis(end.since(now))),
        });
        let counts = breaker.counts(policy, now);
        Self {
            state: state.word(),
            opens_for_ms: match state {
                State::Open { until } => Some(millis(until.since(now))),
                _ => None,
            },
            calls: counts.total,
            failures: counts.failures,
            slow: counts.slow,
            consecutive_failures: u64::from(counts.consecutive_failures),
            manual,
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
