//! Answers at the door for people: which path and method means what.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use hyper::body::Incoming;
use serde_json::json;
use tokio::sync::watch;

use super::breakers::command as command_breaker;
use super::config;
use super::decide::{self, Decision};
use super::entry::{Entry, TurnedAway, Visitor};
use super::events;
use super::explain;
use super::report::{Report, breakers};
use crate::doors::accept::{Door, Peer};
use crate::doors::answer::{Answer, busy, error, json as answer_json, not_found, wrong_method};
use crate::doors::path::segments;
use crate::doors::standing::Standing;

/// The door for people.
pub(crate) struct AdminDoor {
    pub(crate) standing: Arc<Standing>,
    /// Nobody may enter while this is empty.
    pub(crate) entry: Arc<ArcSwapOption<Entry>>,
    /// Ends the streams of events.
    pub(crate) closing: watch::Receiver<bool>,
}

/// How long a reload may take before whoever asked is told that it goes on.
const RELOAD_LIMIT: Duration = Duration::from_secs(30);

impl Door for AdminDoor {
    const NAME: &'static str = "admin";

    const LONGEST_CONNECTION: Duration = Duration::from_secs(24 * 60 * 60);

    async fn answer(&self, peer: Peer, request: Request<Incoming>) -> Answer {
        let visitor = match self.admit(&peer, request.headers()) {
            Ok(visitor) => visitor,
            Err(turned_away) => return turn_away(&peer, turned_away),
        };
        let Some(segments) = segments(request.uri().path()) else {
            return error(StatusCode::BAD_REQUEST, "bad_request", "the path cannot be read");
        };
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match segments[..] {
            ["v1", "services", service, "instances", id, verb] if Decision::is_verb(verb) => {
                if *request.method() != Method::POST {
                    return wrong_method("POST");
                }
                let decision = match Decision::read(verb, request.into_body()).await {
                    Ok(decision) => decision,
                    Err(fault) => return error(StatusCode::BAD_REQUEST, "bad_request", fault),
                };
                tracing::info!(who = %visitor, service, instance = id, %decision, "decided");
                decide::decide(&self.standing.mesh, service, id, decision).await
            }
            ["v1", "explain"] if *request.method() == Method::POST => {
                explain::explain(&self.standing.mesh.config(), request.into_body()).await
            }
            ["v1", "config", ref path @ ..] => {
                config::answer(&self.standing, visitor, path, request).await
            }
            ["v1", "breakers", ref key @ ..] if !key.is_empty() => {
                let key = key.join("/");
                match *request.method() {
                    Method::POST => {
                        let mesh = &self.standing.mesh;
                        command_breaker(mesh, visitor, &key, request.into_body()).await
                    }
                    Method::GET | Method::HEAD => self.read_breaker(&key),
                    _ => wrong_method("GET, HEAD, POST"),
                }
            }
            ref path => self.lead(visitor, request.method(), path).await,
        }
    }
}

impl AdminDoor {
    fn admit(&self, peer: &Peer, headers: &HeaderMap) -> Result<Visitor, TurnedAway> {
        self.entry.load().as_ref().ok_or(TurnedAway::Closed)?.admit(peer, headers)
    }

    async fn lead(&self, visitor: Visitor, method: &Method, path: &[&str]) -> Answer {
        let is_post = *method == Method::POST;
        match path {
            ["v1", "reload"] if is_post => self.reload(visitor).await,
            ["v1", "shutdown"] if is_post => self.shut_down(visitor),
            ["v1", "reload" | "shutdown" | "explain"] => wrong_method("POST"),
            ["v1", "status" | "services" | "breakers" | "events"]
            | ["v1", "services", _]
            | ["v1", "services", _, "instances"]
            | ["v1", "services", _, "instances", _] => match *method {
                Method::GET | Method::HEAD => self.read(&path[1..]),
                _ => wrong_method("GET, HEAD"),
            },
            _ => match not_built(path) {
                Some(name) => {
                    let message = format!("{name}: this version cannot do that yet");
                    error(StatusCode::NOT_IMPLEMENTED, "not_implemented", &message)
                }
                None => not_found("there is nothing here; GET /v1/status says everything"),
            },
        }
    }

    fn read_breaker(&self, key: &str) -> Answer {
        let status = self.standing.mesh.status();
        match breakers(&status).into_iter().find(|report| report.is(key)) {
            Some(report) => answer_json(StatusCode::OK, &report),
            None => not_found(&format!("there is no breaker `{key}`")),
        }
    }

    fn read(&self, path: &[&str]) -> Answer {
        if let ["events"] = path {
            return events::stream(self.standing.mesh.events(), self.closing.clone());
        }
        if let ["status"] = path {
            return answer_json(StatusCode::OK, &Report::of(&self.standing));
        }
        let status = self.standing.mesh.status();
        if let ["breakers"] = path {
            return answer_json(StatusCode::OK, &json!({ "breakers": breakers(&status) }));
        }
        let ["services", path @ ..] = path else { return not_found("there is nothing here") };
        let [name, path @ ..] = path else {
            return answer_json(StatusCode::OK, &json!({ "services": status.services }));
        };
        let Some(service) = status.services.iter().find(|service| service.name == *name) else {
            return not_found(&format!("there is no service `{name}`"));
        };
        match path {
            [] => answer_json(StatusCode::OK, service),
            ["instances"] => {
                answer_json(StatusCode::OK, &json!({ "instances": service.instances }))
            }
            [_, id, ..] => match service.instances.iter().find(|instance| instance.id == *id) {
                Some(instance) => answer_json(StatusCode::OK, instance),
                None => not_found(&format!("service `{name}` has no instance `{id}`")),
            },
            [_] => not_found("there is nothing here"),
        }
    }

    async fn reload(&self, visitor: Visitor) -> Answer {
        tracing::info!(who = %visitor, "a reload was asked for");
        match tokio::time::timeout(RELOAD_LIMIT, self.standing.asks.reload()).await {
            Ok(Some(Ok(mut changed))) => {
                changed["ok"] = true.into();
                changed["reload"] = json!(self.standing.last_reload());
                answer_json(StatusCode::OK, &changed)
            }
            Ok(Some(Err(fault))) => fault.answer(),
            Ok(None) => busy(),
            Err(_) => answer_json(
                StatusCode::ACCEPTED,
                &json!({ "ok": false, "message": "the reload goes on; `/v1/status` will say how it ended" }),
            ),
        }
    }

    fn shut_down(&self, visitor: Visitor) -> Answer {
        tracing::info!(who = %visitor, "the end was asked for");
        if self.standing.asks.shutdown() {
            answer_json(StatusCode::ACCEPTED, &json!({ "ok": true }))
        } else {
            busy()
        }
    }
}

fn turn_away(peer: &Peer, turned_away: TurnedAway) -> Answer {
    tracing::warn!(?peer, reason = %turned_away, "turned away at the admin door");
    let mut answer = error(turned_away.status(), turned_away.word(), &turned_away.to_string());
    if answer.status() == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static("Bearer");
        answer.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    answer
}

/// What is promised and cannot be done by this version, by name.
fn not_built(path: &[&str]) -> Option<&'static str> {
    Some(match path {
        [] | ["dashboard", ..] => "the dashboard",
        _ => return None,
    })
}
