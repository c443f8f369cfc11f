//! Tells events as they happen, as server-sent events with JSON in them.

use authmesh::telemetry::{Event, EventKind, EventReceiver};
use authmesh_logic::circuit_breaker::Transition;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::doors::answer::Answer;
use crate::doors::stream::{QUIET, QUIET_LIMIT, Teller, event_stream};
use crate::doors::time_text::time_text;

/// An answer that goes on until the peer leaves or the door closes. It waits for nobody: a slow
/// peer is told how many events it missed.
pub(crate) fn stream(receiver: EventReceiver, closing: watch::Receiver<bool>) -> Answer {
    event_stream(Telling { receiver, closing, missed: 0, has_begun: false })
}

struct Telling {
    receiver: EventReceiver,
    closing: watch::Receiver<bool>,
    missed: u64,
    has_begun: bool,
}

impl Teller for Telling {
    fn next(self) -> impl Future<Output = Option<(String, Self)>> + Send {
        next(self)
    }
}

async fn next(mut telling: Telling) -> Option<(String, Telling)> {
    if !telling.has_begun {
        telling.has_begun = true;
        // Shows the peer that whatever happens from now on will be told.
        return Some((": listening\n\n".to_owned(), telling));
    }
    let event = tokio::select! {
        biased;
        _ = telling.closing.wait_for(|closing| *closing) => return None,
        event = tokio::time::timeout(QUIET_LIMIT, telling.receiver.next()) => event,
    };
    let Ok(event) = event else { return Some((QUIET.to_owned(), telling)) };
    let mut text = String::new();
    let missed = telling.receiver.missed();
    if missed > telling.missed {
        text = message("missed", &json!({ "kind": "missed", "events": missed - telling.missed }));
        telling.missed = missed;
    }
    let event = described(&event?);
    text += &message(event["kind"].as_str().unwrap_or_default(), &event);
    Some((text, telling))
}

fn message(kind: &str, value: &Value) -> String {
    format!("event: {kind}\ndata: {value}\n\n")
}

/// An event as JSON: `at`, `service`, `kind`, and what belongs to the kind.
fn described(event: &Event) -> Value {
    let mut value = match &event.kind {
        EventKind::ServiceBreaker { operation, transition } => {
            let mut value = moved(transition);
            value["kind"] = "service_breaker".into();
            value["operation"] = operation.as_str().into();
            value
        }
        EventKind::EndpointBreaker { instance, transition } => {
            let mut value = moved(transition);
            value["kind"] = "endpoint_breaker".into();
            value["instance"] = instance.to_string().into();
            value
        }
        EventKind::BreakerCommanded { breaker, command, who, why } => json!({
            "kind": "breaker_commanded",
            "breaker": breaker,
            "command": command.word(),
            "for_ms": command.lasts().map(|lasts| u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX)),
            "who": who,
            "why": why,
        }),
        EventKind::Joined(instance) => {
            json!({ "kind": "joined", "instance": instance.to_string() })
        }
        EventKind::Left(instance) => json!({ "kind": "left", "instance": instance.to_string() }),
        EventKind::Health { instance, status, reason } => json!({
            "kind": "health",
            "instance": instance.to_string(),
            "health": status.word(),
            "reason": reason,
        }),
        EventKind::QuotaClosed { quota, lasts } => json!({
            "kind": "quota_closed",
            "quota": quota,
            "for_ms": u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX),
        }),
        EventKind::Ejected { instance, cause, lasts } => json!({
            "kind": "ejected",
            "instance": instance.to_string(),
            "cause": cause.word(),
            "for_ms": u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX),
        }),
        EventKind::Spared { instance, cause } => json!({
            "kind": "spared",
            "instance": instance.to_string(),
            "cause": cause.word(),
        }),
        EventKind::Returned(instance) => {
            json!({ "kind": "returned", "instance": instance.to_string() })
        }
        EventKind::SourceLost { reason } => json!({ "kind": "source_lost", "reason": reason }),
        EventKind::SourceFound => json!({ "kind": "source_found" }),
        EventKind::PanicBegan => json!({ "kind": "panic_began" }),
        EventKind::Refused { reason, rule, requests } => json!({
            "kind": "refused",
            "reason": reason,
            "rule": rule,
            "requests": requests,
        }),
        EventKind::PanicEnded => json!({ "kind": "panic_ended" }),
        _ => json!({ "kind": "other" }),
    };
    value["at"] = time_text(event.at).into();
    value["service"] = event.service.to_string().into();
    value
}

fn moved(transition: &Transition) -> Value {
    json!({
        "from": transition.from.word(),
        "to": transition.to.word(),
        "cause": transition.cause.word(),
        "calls": transition.evidence.total,
        "failures": transition.evidence.failures,
        "slow": transition.evidence.slow,
    })
}
