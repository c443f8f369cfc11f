//! Reads everything that is counted of one service, at one moment.

use std::sync::atomic::Ordering;

use authmesh_logic::Moment;

use crate::driver::{MemberState, ServiceState};
use crate::load_balancer::{EndpointMetrics, LoadBalancerMetrics};
use crate::service::Service;
use crate::telemetry::{InstanceMetrics, OperationMetrics, ServiceMetrics};

/// Reads a service whose update lane last said `state`. Asking changes nothing.
pub(crate) fn metrics_of(service: &Service, state: &ServiceState, now: Moment) -> ServiceMetrics {
    let roster = service.roster();
    let policy = &roster.policy;
    let operations = service.operations();
    let operations = operations.iter().map(|operation| {
        let breaker = operation.breaker.load().reading(&policy.breaker, now);
        let admission = operation.admission.load();
        OperationMetrics {
            admission: admission.as_ref().map(|admission| admission.metrics(now)),
            quota_closed: operation.quota.door.closed_for(now),
            ..operation.counters.metrics(&operation.name, &breaker, now)
        }
    });
    let instances = state.members.iter().map(|member| InstanceMetrics {
        id: member.endpoint.cell.id.clone(),
        eligibility: member.eligibility,
        breaker: member.endpoint.cell.breaker_metrics(&policy.endpoint_breaker, now),
    });
    ServiceMetrics {
        name: service.name.clone(),
        generation: state.generation,
        panic: state.panic,
        source_lost: state.lost.as_ref().map(|(since, _)| now.since(*since)),
        unroutable: state.unroutable_since.map(|since| now.since(since)),
        connections: service.open.count(),
        operations: operations.collect(),
        instances: instances.collect(),
        balancer: LoadBalancerMetrics {
            strategy: policy.balance.strategy,
            endpoints: state.members.iter().map(endpoint_metrics).collect(),
        },
        endpoint_breakers: service.endpoint_breakers.metrics(),
        ejections: service.ejections.each_ref().map(|count| count.load(Ordering::Relaxed)),
        health: service.checks.metrics(state.members.iter().map(|member| member.health.status)),
    }
}

fn endpoint_metrics(member: &MemberState) -> EndpointMetrics {
    let cell = &member.endpoint.cell;
    EndpointMetrics {
        weight: member.endpoint.instance.weight,
        picks: cell.picks(),
        in_flight: cell.in_flight(),
    }
}
