//! Writes one snapshot of the mesh as metrics, so that the values of one scrape agree.

use std::time::{Duration, UNIX_EPOCH};

use authmesh::ErrorKind;
use authmesh::discovery::DiscoveryMetrics;
use authmesh::status::Eligibility;
use authmesh::telemetry::{LATENCY_BOUNDS_MS, MeshMetrics};
use authmesh_logic::authorization::Answer;
use authmesh_logic::outcome::OutcomeKind;
use authmesh_logic::outlier::Cause;

use super::operations::operations;
use super::text::{Format, MetricsText};
use super::{breakers, names};
use crate::doors::readiness::Readiness;
use crate::doors::standing::Standing;

/// The metrics of a proxy, as text. Asking changes nothing.
pub(crate) fn scrape(standing: &Standing, format: Format) -> String {
    let metrics = standing.mesh.metrics();
    let mut text = MetricsText::new(format);
    write_requests(&mut text, &metrics);
    write_access(&mut text, standing);
    write_attempts(&mut text, &metrics);
    breakers::write(&mut text, &metrics);
    write_admission(&mut text, &metrics);
    write_services(&mut text, &metrics);
    write_health(&mut text, &metrics);
    if let Some(registry) = &metrics.registry {
        write_registry(&mut text, registry);
    }
    write_identity(&mut text, &metrics);
    write_tokens(&mut text, &metrics);
    write_process(&mut text, standing, &metrics);
    text.finish()
}

fn write_requests(text: &mut MetricsText, metrics: &MeshMetrics) {
    text.family(&names::REQUESTS);
    for (service, operation) in operations(metrics) {
        let refused: u64 = operation.failed.iter().sum();
        let labels = |outcome| [service, operation.name.as_str(), outcome];
        text.sample(&names::REQUESTS, &labels("answered"), operation.answered);
        text.sample(&names::REQUESTS, &labels("refused"), refused);
    }
    text.family(&names::REFUSALS);
    for (service, operation) in operations(metrics) {
        for (kind, count) in ErrorKind::ALL.into_iter().zip(operation.failed) {
            text.sample(&names::REFUSALS, &[service, &operation.name, kind.reason()], count);
        }
    }
    text.family(&names::REQUEST_SECONDS);
    for (service, operation) in operations(metrics) {
        text.histogram(
            &names::REQUEST_SECONDS,
            &[service, &operation.name],
            LATENCY_BOUNDS_MS.iter().map(|bound| *bound as f64 / 1e3),
            &operation.latency,
            operation.latency_sum_us as f64 / 1e6,
        );
    }
}

fn write_access(text: &mut MetricsText, standing: &Standing) {
    let counted = standing.refusals.counted();
    text.family(&names::ACCESS_REFUSALS);
    for of_service in &counted {
        let reasons = Answer::REFUSALS.iter().filter_map(|answer| answer.reason());
        for (reason, count) in reasons.zip(of_service.refused) {
            text.sample(&names::ACCESS_REFUSALS, &[&of_service.service, reason], count);
        }
    }
    text.family(&names::SHADOWED);
    for of_service in &counted {
        text.sample(&names::SHADOWED, &[&of_service.service], of_service.changed_by_shadow);
    }
}

fn write_attempts(text: &mut MetricsText, metrics: &MeshMetrics) {
    text.family(&names::ATTEMPTS);
    for (service, operation) in operations(metrics) {
        for (kind, count) in OutcomeKind::ALL.into_iter().zip(operation.breaker.results) {
            text.sample(&names::ATTEMPTS, &[service, &operation.name, kind.word()], count);
        }
    }
    text.family(&names::RETRIES);
    for (service, operation) in operations(metrics) {
        text.sample(&names::RETRIES, &[service, &operation.name], operation.retries);
    }
    text.family(&names::PICKS);
    for service in &metrics.services {
        let picks: u64 = service.operations.iter().map(|operation| operation.picks).sum();
        let strategy = service.balancer.strategy.word();
        text.sample(&names::PICKS, &[service.name.as_str(), strategy], picks);
    }
}

fn write_admission(text: &mut MetricsText, metrics: &MeshMetrics) {
    let admitted = || {
        operations(metrics).filter_map(|(service, operation)| {
            Some((service, operation.name.as_str(), operation.admission?))
        })
    };
    text.family(&names::ADMISSION_LIMIT);
    for (service, operation, admission) in admitted() {
        if let Some(limit) = admission.limit {
            text.sample(&names::ADMISSION_LIMIT, &[service, operation], limit);
        }
    }
    text.family(&names::ADMISSION_IN_FLIGHT);
    for (service, operation, admission) in admitted() {
        if let Some(in_flight) = admission.in_flight {
            text.sample(&names::ADMISSION_IN_FLIGHT, &[service, operation], in_flight);
        }
    }
    text.family(&names::ADMISSION_SHED);
    for (service, operation, admission) in admitted() {
        if let Some(shed) = admission.shed {
            text.sample(&names::ADMISSION_SHED, &[service, operation], shed.as_fraction());
        }
    }
    text.family(&names::QUOTA_CLOSED);
    for (service, operation) in operations(metrics) {
        let left = operation.quota_closed.unwrap_or_default().as_secs_f64();
        text.sample(&names::QUOTA_CLOSED, &[service, &operation.name], left);
    }
}

fn write_services(text: &mut MetricsText, metrics: &MeshMetrics) {
    text.family(&names::ENDPOINTS);
    for service in &metrics.services {
        for state in Eligibility::WORDS {
            let states = service.instances.iter().map(|instance| instance.eligibility.word());
            let count = states.filter(|word| *word == state).count();
            text.sample(&names::ENDPOINTS, &[service.name.as_str(), state], count);
        }
    }
    text.family(&names::EJECTIONS);
    for service in &metrics.services {
        for (cause, count) in Cause::ALL.into_iter().zip(service.ejections) {
            text.sample(&names::EJECTIONS, &[service.name.as_str(), cause.word()], count);
        }
    }
    text.family(&names::PANIC);
    for service in &metrics.services {
        text.sample(&names::PANIC, &[service.name.as_str()], u8::from(service.panic));
    }
    text.family(&names::SOURCE_LOST);
    for service in &metrics.services {
        let lost = service.source_lost.as_ref().map_or(0.0, Duration::as_secs_f64);
        text.sample(&names::SOURCE_LOST, &[service.name.as_str()], lost);
    }
    text.family(&names::IN_FLIGHT);
    for service in &metrics.services {
        text.sample(&names::IN_FLIGHT, &[service.name.as_str()], service.in_flight());
    }
    text.family(&names::UPSTREAM_CONNECTIONS);
    for service in &metrics.services {
        text.sample(&names::UPSTREAM_CONNECTIONS, &[service.name.as_str()], service.connections);
    }
}

fn write_health(text: &mut MetricsText, metrics: &MeshMetrics) {
    text.family(&names::CHECKS);
    for service in &metrics.services {
        let labels = |result| [service.name.as_str(), result];
        text.sample(&names::CHECKS, &labels("passed"), service.health.passed);
        text.sample(&names::CHECKS, &labels("failed"), service.health.failed);
    }
    text.family(&names::HEALTH_CHANGES);
    for service in &metrics.services {
        text.sample(&names::HEALTH_CHANGES, &[service.name.as_str()], service.health.changes);
    }
}

fn write_registry(text: &mut MetricsText, registry: &DiscoveryMetrics) {
    text.family(&names::REGISTRY_INSTANCES);
    let held = registry.instances.saturating_sub(registry.missing);
    text.sample(&names::REGISTRY_INSTANCES, &["held"], held);
    text.sample(&names::REGISTRY_INSTANCES, &["missing"], registry.missing);
    text.family(&names::REGISTRY_WATCHERS);
    text.sample(&names::REGISTRY_WATCHERS, &[], registry.watchers);
    text.family(&names::REGISTRY_CHANGES);
    for (kind, count) in [
        ("registered", registry.registrations),
        ("renewed", registry.heartbeats),
        ("left", registry.deregistrations),
        ("decided", registry.decisions),
        ("refused", registry.refusals),
        ("ran_out", registry.ran_out),
        ("given_up", registry.given_up),
    ] {
        text.sample(&names::REGISTRY_CHANGES, &[kind], count);
    }
    text.family(&names::REGISTRY_SAVES);
    text.sample(&names::REGISTRY_SAVES, &["saved"], registry.saves);
    text.sample(&names::REGISTRY_SAVES, &["failed"], registry.failed_saves);
}

fn write_identity(text: &mut MetricsText, metrics: &MeshMetrics) {
    text.family(&names::HANDSHAKES);
    for counted in metrics.identity.iter().flat_map(|identity| &identity.handshakes) {
        let labels = [counted.side.word(), counted.end.word()];
        text.sample(&names::HANDSHAKES, &labels, counted.count);
    }
    text.family(&names::CERTIFICATE_ENDS);
    for kind in ["own", "bundle", "federation", "crl"] {
        let certificates = metrics.identity.iter().flat_map(|identity| &identity.certificates);
        let of_kind = certificates.filter(|certificate| certificate.kind == kind);
        if let Some(ends_at) = of_kind.map(|certificate| certificate.ends_at).min() {
            text.sample(&names::CERTIFICATE_ENDS, &[kind], ends_at);
        }
    }
}

fn write_tokens(text: &mut MetricsText, metrics: &MeshMetrics) {
    if metrics.tokens.is_empty() {
        return;
    }
    text.family(&names::TOKENS);
    let strays = metrics.stray_tokens.iter().filter(|counted| counted.count > 0);
    strays.for_each(|counted| text.sample(&names::TOKENS, &["", counted.result], counted.count));
    for provider in &metrics.tokens {
        for counted in &provider.tokens {
            text.sample(&names::TOKENS, &[&provider.name, counted.result], counted.count);
        }
    }
    text.family(&names::KEY_FETCHES);
    for provider in &metrics.tokens {
        for counted in &provider.fetches {
            text.sample(&names::KEY_FETCHES, &[&provider.name, counted.result], counted.count);
        }
    }
    text.family(&names::KEYS);
    for provider in &metrics.tokens {
        text.sample(&names::KEYS, &[&provider.name], provider.keys);
    }
    text.family(&names::KEYS_AGE);
    for provider in &metrics.tokens {
        if let Some(age) = provider.age_s {
            text.sample(&names::KEYS_AGE, &[&provider.name], age);
        }
    }
    text.family(&names::KEYS_USABLE);
    for provider in &metrics.tokens {
        text.sample(&names::KEYS_USABLE, &[&provider.name], provider.usable_for_s.unwrap_or(0));
    }
}

fn write_process(text: &mut MetricsText, standing: &Standing, metrics: &MeshMetrics) {
    let start = standing.since.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let load = standing.load();
    text.family(&names::CONNECTIONS);
    text.sample(&names::CONNECTIONS, &[], load.connections);
    text.family(&names::REQUESTS_IN_FLIGHT);
    text.sample(&names::REQUESTS_IN_FLIGHT, &[], load.requests);
    text.family(&names::TASKS);
    text.sample(&names::TASKS, &[], load.tasks);
    text.family(&names::READY);
    text.sample(&names::READY, &[], u8::from(Readiness::is_ready(standing, metrics)));
    text.family(&names::RELOAD_FAILURES);
    text.sample(&names::RELOAD_FAILURES, &[], standing.reload_failures());
    text.family(&names::EVENTS);
    text.sample(&names::EVENTS, &[], metrics.events);
    text.family(&names::EVENTS_MISSED);
    text.sample(&names::EVENTS_MISSED, &[], metrics.events_missed);
    text.family(&names::START);
    text.sample(&names::START, &[], start);
}
