//! Writes what breakers are and did: those of operations one by one, those of instances together.

use authmesh::circuit_breaker::{Cause, Move, MoveCounts, RejectedReason, State, TrialResult};
use authmesh::telemetry::MeshMetrics;
use authmesh::worker::Clock;

use super::names;
use super::operations::operations;
use super::text::MetricsText;

/// Writes the breakers of a snapshot.
pub(super) fn write(text: &mut MetricsText, metrics: &MeshMetrics) {
    write_states(text, metrics);
    write_deeds(text, metrics);
    write_evidence(text, metrics);
    write_endpoints(text, metrics);
}

fn write_states(text: &mut MetricsText, metrics: &MeshMetrics) {
    text.family(&names::BREAKER_STATE);
    for (service, operation) in operations(metrics) {
        for state in State::WORDS {
            let is_it = u8::from(operation.breaker.state.word() == state);
            text.sample(&names::BREAKER_STATE, &[service, &operation.name, state], is_it);
        }
    }
    text.family(&names::BREAKER_STATE_SECONDS);
    for (service, operation) in operations(metrics) {
        for (state, spent) in State::WORDS.into_iter().zip(operation.breaker.time_in_state) {
            let labels = [service, &operation.name, state];
            text.sample(&names::BREAKER_STATE_SECONDS, &labels, spent.as_secs_f64());
        }
    }
    let now = Clock.now();
    text.family(&names::BREAKER_OPEN);
    for (service, operation) in operations(metrics) {
        let left = match operation.breaker.state {
            State::Open { until } => until.since(now).as_secs_f64(),
            _ => 0.0,
        };
        text.sample(&names::BREAKER_OPEN, &[service, &operation.name], left);
    }
}

fn write_deeds(text: &mut MetricsText, metrics: &MeshMetrics) {
    text.family(&names::BREAKER_REJECTIONS);
    for (service, operation) in operations(metrics) {
        for (reason, count) in RejectedReason::ALL.into_iter().zip(operation.breaker.rejected) {
            let labels = [service, &operation.name, reason.word()];
            text.sample(&names::BREAKER_REJECTIONS, &labels, count);
        }
    }
    text.family(&names::BREAKER_TRANSITIONS);
    for (service, operation) in operations(metrics) {
        for (kind, count) in told(&operation.breaker.moves) {
            let (word, reason) = (word_of(kind), kind.cause.word());
            let labels = [service, &operation.name, kind.to, &word, reason];
            text.sample(&names::BREAKER_TRANSITIONS, &labels, count);
        }
    }
    text.family(&names::BREAKER_TRIALS);
    for (service, operation) in operations(metrics) {
        for (result, count) in TrialResult::ALL.into_iter().zip(operation.breaker.trials) {
            let labels = [service, &operation.name, result.word()];
            text.sample(&names::BREAKER_TRIALS, &labels, count);
        }
    }
}

fn write_evidence(text: &mut MetricsText, metrics: &MeshMetrics) {
    text.family(&names::BREAKER_WINDOW);
    for (service, operation) in operations(metrics) {
        let counts = operation.breaker.counts;
        for (kind, count) in [
            ("total", counts.total),
            ("failures", counts.failures),
            ("slow", counts.slow),
            ("denied", counts.denied),
        ] {
            text.sample(&names::BREAKER_WINDOW, &[service, &operation.name, kind], count);
        }
    }
    text.family(&names::BREAKER_STALE);
    for (service, operation) in operations(metrics) {
        let stale = operation.breaker.stale_results;
        text.sample(&names::BREAKER_STALE, &[service, &operation.name], stale);
    }
}

fn write_endpoints(text: &mut MetricsText, metrics: &MeshMetrics) {
    text.family(&names::ENDPOINT_BREAKERS);
    for service in &metrics.services {
        for state in State::WORDS {
            let states = service.instances.iter().map(|instance| instance.breaker.state.word());
            let count = states.filter(|word| *word == state).count();
            text.sample(&names::ENDPOINT_BREAKERS, &[service.name.as_str(), state], count);
        }
    }
    text.family(&names::ENDPOINT_BREAKER_REJECTIONS);
    for service in &metrics.services {
        let rejected = service.endpoint_breakers.rejected;
        for (reason, count) in RejectedReason::ALL.into_iter().zip(rejected) {
            let labels = [service.name.as_str(), reason.word()];
            text.sample(&names::ENDPOINT_BREAKER_REJECTIONS, &labels, count);
        }
    }
    text.family(&names::ENDPOINT_BREAKER_TRANSITIONS);
    for service in &metrics.services {
        for (kind, count) in told(&service.endpoint_breakers.moves) {
            let (word, reason) = (word_of(kind), kind.cause.word());
            let labels = [service.name.as_str(), kind.to, &word, reason];
            text.sample(&names::ENDPOINT_BREAKER_TRANSITIONS, &labels, count);
        }
    }
    text.family(&names::ENDPOINT_BREAKER_TRIALS);
    for service in &metrics.services {
        let trials = service.endpoint_breakers.trials;
        for (result, count) in TrialResult::ALL.into_iter().zip(trials) {
            let labels = [service.name.as_str(), result.word()];
            text.sample(&names::ENDPOINT_BREAKER_TRIALS, &labels, count);
        }
    }
}

/// What a breaker may do by itself, be it never, so that the first time is seen as a change; and
/// what an operator did.
fn told(moves: &MoveCounts) -> impl Iterator<Item = (Move, u64)> {
    let own = Move::OWN.into_iter().map(|kind| (kind, moves.of(kind)));
    own.chain(moves.iter().filter(|(kind, _)| kind.cause == Cause::Operator))
}

fn word_of(kind: Move) -> String {
    format!("{}_to_{}", kind.from, kind.to)
}
