//! Turns one status of the mesh into metrics. Whatever is one-hot or a sum comes from that one
//! reading, so that the values of one scrape agree.

use std::time::UNIX_EPOCH;

use authmesh::ErrorKind;
use authmesh::status::{InstanceStatus, MeshStatus, OperationStatus};
use authmesh::telemetry::LATENCY_BOUNDS_MS;
use authmesh_logic::circuit_breaker::State;
use authmesh_logic::eligibility::Reason;
use authmesh_logic::outcome::OutcomeKind;

use super::names;
use super::text::{Format, MetricsText};
use crate::doors::readiness::Readiness;
use crate::doors::standing::Standing;

/// The metrics of a proxy, as text. Asking changes nothing.
pub(crate) fn scrape(standing: &Standing, format: Format) -> String {
    let status = standing.mesh.status();
    let mut text = MetricsText::new(format);
    write_requests(&mut text, &status);
    write_attempts(&mut text, &status);
    write_breakers(&mut text, &status);
    write_services(&mut text, &status);
    write_process(&mut text, standing, &status);
    text.finish()
}

fn write_requests(text: &mut MetricsText, status: &MeshStatus) {
    text.family(&names::REQUESTS);
    for (service, operation) in operations(status) {
        let refused: u64 = operation.metrics.failed.iter().sum();
        let labels = |outcome| [service, operation.name.as_str(), outcome];
        text.sample(&names::REQUESTS, &labels("answered"), operation.metrics.answered);
        text.sample(&names::REQUESTS, &labels("refused"), refused);
    }
    text.family(&names::REFUSALS);
    for (service, operation) in operations(status) {
        for (kind, count) in ErrorKind::ALL.into_iter().zip(operation.metrics.failed) {
            text.sample(&names::REFUSALS, &[service, &operation.name, kind.reason()], count);
        }
    }
    text.family(&names::REQUEST_SECONDS);
    for (service, operation) in operations(status) {
        text.histogram(
            &names::REQUEST_SECONDS,
            &[service, &operation.name],
            LATENCY_BOUNDS_MS.iter().map(|bound| *bound as f64 / 1e3),
            &operation.metrics.latency,
            operation.metrics.latency_sum_us as f64 / 1e6,
        );
    }
}

fn write_attempts(text: &mut MetricsText, status: &MeshStatus) {
    text.family(&names::ATTEMPTS);
    for (service, operation) in operations(status) {
        for (kind, count) in OutcomeKind::ALL.into_iter().zip(operation.metrics.attempts) {
            text.sample(&names::ATTEMPTS, &[service, &operation.name, kind.word()], count);
        }
    }
    text.family(&names::RETRIES);
    for (service, operation) in operations(status) {
        text.sample(&names::RETRIES, &[service, &operation.name], operation.metrics.retries);
    }
    text.family(&names::PICKS);
    for service in &status.services {
        let picks: u64 = service.operations.iter().map(|operation| operation.metrics.picks).sum();
        text.sample(&names::PICKS, &[&service.name, service.strategy], picks);
    }
}

fn write_breakers(text: &mut MetricsText, status: &MeshStatus) {
    text.family(&names::BREAKER_STATE);
    for (service, operation) in operations(status) {
        for state in State::WORDS {
            let is_it = u8::from(operation.breaker.state == state);
            text.sample(&names::BREAKER_STATE, &[service, &operation.name, state], is_it);
        }
    }
    text.family(&names::ENDPOINT_BREAKERS);
    for service in &status.services {
        for state in State::WORDS {
            let is_in = |instance: &&InstanceStatus| instance.breaker.state == state;
            let count = service.instances.iter().filter(is_in).count();
            text.sample(&names::ENDPOINT_BREAKERS, &[&service.name, state], count);
        }
    }
}

fn write_services(text: &mut MetricsText, status: &MeshStatus) {
    text.family(&names::ENDPOINTS);
    for service in &status.services {
        let refused = Reason::ALL.iter().map(|reason| reason.word());
        for state in ["routable", "limbo"].into_iter().chain(refused) {
            let is_in = |instance: &&InstanceStatus| instance.state == state;
            let count = service.instances.iter().filter(is_in).count();
            text.sample(&names::ENDPOINTS, &[&service.name, state], count);
        }
    }
    text.family(&names::PANIC);
    for service in &status.services {
        text.sample(&names::PANIC, &[&service.name], u8::from(service.mode == "panic"));
    }
    text.family(&names::SOURCE_LOST);
    for service in &status.services {
        let lost_ms = service.source_lost.as_ref().map_or(0, |lost| lost.for_ms);
        text.sample(&names::SOURCE_LOST, &[&service.name], lost_ms as f64 / 1e3);
    }
    text.family(&names::IN_FLIGHT);
    for service in &status.services {
        text.sample(&names::IN_FLIGHT, &[&service.name], service.in_flight);
    }
    text.family(&names::UPSTREAM_CONNECTIONS);
    for service in &status.services {
        text.sample(&names::UPSTREAM_CONNECTIONS, &[&service.name], service.connections);
    }
}

fn write_process(text: &mut MetricsText, standing: &Standing, status: &MeshStatus) {
    let ready = Readiness::of(standing, status).ready;
    let start = standing.since.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let load = standing.load();
    text.family(&names::CONNECTIONS);
    text.sample(&names::CONNECTIONS, &[], load.connections);
    text.family(&names::REQUESTS_IN_FLIGHT);
    text.sample(&names::REQUESTS_IN_FLIGHT, &[], load.requests);
    text.family(&names::TASKS);
    text.sample(&names::TASKS, &[], load.tasks);
    text.family(&names::READY);
    text.sample(&names::READY, &[], u8::from(ready));
    text.family(&names::RELOAD_FAILURES);
    text.sample(&names::RELOAD_FAILURES, &[], standing.reload_failures());
    text.family(&names::EVENTS);
    text.sample(&names::EVENTS, &[], status.events);
    text.family(&names::START);
    text.sample(&names::START, &[], start);
}

/// Every operation with its service's name.
fn operations(status: &MeshStatus) -> impl Iterator<Item = (&str, &OperationStatus)> {
    status.services.iter().flat_map(|service| {
        service.operations.iter().map(|operation| (service.name.as_str(), operation))
    })
}
