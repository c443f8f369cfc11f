//! Answers at the door for workloads: which path and method means what.
//!
//! Who decides about instances does not come in here: a workload that may register can not drain.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use authmesh::discovery::{
    Granted, InstanceId, Refusal, Registrant, Registrants, Registry, ServiceName, Wish,
};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use hyper::body::Incoming;
use serde_json::json;
use tokio::sync::watch;

use super::asker::Asker;
use super::body::{Fault, Fields};
use super::facts::facts;
use super::view::ViewText;
use super::watching::Watcher;
use crate::doors::accept::{Door, Peer};
use crate::doors::answer::{Answer, error, json as answer_json, not_found, wrong_method};
use crate::doors::path::segments;
use crate::doors::web_page::{is_from_web_page, is_named_loopback};
use crate::refusal::REASON;

/// The door for workloads.
pub(crate) struct RegistryDoor {
    pub(crate) registry: Registry,
    /// Who may register which service; replaced when the configuration is.
    pub(crate) registrants: Arc<ArcSwap<Registrants>>,
    /// The user the mesh runs as.
    pub(crate) own_user: u32,
    /// Ends the waits.
    pub(crate) closing: watch::Receiver<bool>,
}

/// How long a change may take to be on disk.
const SAVE_LIMIT: Duration = Duration::from_secs(10);

/// When a registry that is full, or a disk that fails, may be asked again, in seconds.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("10");

impl Door for RegistryDoor {
    const NAME: &'static str = "registry";

    const LONGEST_CONNECTION: Duration = Duration::from_secs(24 * 60 * 60);

    const MOST_CONNECTIONS: usize = 4_096;

    async fn answer(&self, peer: Peer, request: Request<Incoming>) -> Answer {
        if let Err(message) = admit(&peer, request.headers()) {
            tracing::warn!(?peer, reason = message, "turned away at the registry door");
            return error(StatusCode::FORBIDDEN, "forbidden", message);
        }
        let asker = self.asker(registrant(peer));
        if !asker.may(Wish::Look) {
            return may_not_look(&asker.who);
        }
        let Some(segments) = segments(request.uri().path()) else {
            return bad_request("the path cannot be read");
        };
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let ["v1", "registry", service, path @ ..] = &segments[..] else { return nothing() };
        if !matches!(path, [] | [_] | [_, "heartbeat"]) {
            return nothing();
        }
        let Ok(service) = service.parse::<ServiceName>() else {
            return bad_request(
                "a service has 1 to 63 of a-z, 0-9, `-`, `_` and `.`, and begins with a letter or \
                 a digit",
            );
        };
        let Some(id) = path.first() else { return self.read(asker, &service, request).await };
        if !asker.may(Wish::Change(&service)) {
            return may_not_register(&asker.who);
        }
        let Ok(id) = id.parse::<InstanceId>() else {
            return bad_request(
                "an instance has 1 to 255 printable ASCII characters, none of `/`, `?`, `#`, `%`",
            );
        };
        match (path.len(), request.method()) {
            (1, &Method::PUT) => self.register(&asker, &service, id, request.into_body()).await,
            (1, &Method::DELETE) => self.deregister(&asker.who, &service, &id).await,
            (1, _) => wrong_method("PUT, DELETE"),
            (_, &Method::POST) => granted(self.registry.heartbeat_by(&asker.who, &service, &id)),
            _ => wrong_method("POST"),
        }
    }
}

impl RegistryDoor {
    fn asker(&self, who: Registrant) -> Asker {
        Asker { who, registrants: Arc::clone(&self.registrants), own_user: self.own_user }
    }

    async fn register(
        &self,
        asker: &Asker,
        service: &ServiceName,
        id: InstanceId,
        body: Incoming,
    ) -> Answer {
        let read = Fields::read(body).await.and_then(|fields| facts(id, fields));
        let (instance, ttl) = match read {
            Ok(read) => read,
            Err(Fault { status, message }) => return error(status, "bad_request", &message),
        };
        // The body took its time, and the rule may have become stricter in it.
        if !asker.may(Wish::Change(service)) {
            return may_not_register(&asker.who);
        }
        let answer = granted(self.registry.record_by(&asker.who, service, instance, ttl));
        self.once_saved(answer).await
    }

    async fn deregister(&self, who: &Registrant, service: &ServiceName, id: &InstanceId) -> Answer {
        let answer = match self.registry.deregister_by(who, service, id) {
            Ok(revision) => answer_json(StatusCode::OK, &json!({ "revision": revision })),
            Err(refusal) => refused(refusal),
        };
        // One that is gone already may have left a moment ago, in a change still on its way.
        self.once_saved(answer).await
    }

    /// Gives an answer once what it says is on disk, if the registry is kept there: what was
    /// answered survives a crash.
    async fn once_saved(&self, answer: Answer) -> Answer {
        let fault = match tokio::time::timeout(SAVE_LIMIT, self.registry.saved()).await {
            Ok(Ok(())) => return answer,
            Ok(Err(fault)) => fault.to_string(),
            Err(late) => late.to_string(),
        };
        tracing::warn!(%fault, "a registration is not on disk");
        unavailable("the change is in force, and is not on disk: send it again")
    }

    async fn read(
        &self,
        asker: Asker,
        service: &ServiceName,
        request: Request<Incoming>,
    ) -> Answer {
        if *request.method() != Method::GET && *request.method() != Method::HEAD {
            return wrong_method("GET, HEAD");
        }
        let Some(query) = request.uri().query() else {
            let view = self.registry.list(service);
            return answer_json(StatusCode::OK, &ViewText::of(service, &view));
        };
        let seen = query.strip_prefix("watch=").and_then(|seen| seen.parse().ok());
        let Some(seen) = seen else {
            return bad_request("the query must be `watch=` and the revision of the last view");
        };
        let (registry, service, closing) =
            (self.registry.clone(), service.clone(), self.closing.clone());
        Watcher { asker, registry, service, seen, closing }.answer(request.headers()).await
    }
}

/// Lets a request in, or says why not: a page in a browser of this machine is no workload.
fn admit(peer: &Peer, headers: &HeaderMap) -> Result<(), &'static str> {
    if is_from_web_page(headers) {
        return Err("requests of web pages are refused");
    }
    match peer {
        Peer::Address(_) if !is_named_loopback(headers) => {
            Err("`Host` must be localhost or a loopback address")
        }
        Peer::Address(_) | Peer::User(_) | Peer::Workload(_) => Ok(()),
    }
}

/// Who is at the other end, as far as the way by which it came proves it.
fn registrant(peer: Peer) -> Registrant {
    match peer {
        Peer::User(user) => Registrant::User(user),
        Peer::Workload(id) => Registrant::Workload(id),
        Peer::Address(_) => Registrant::Unproved,
    }
}

/// The answer to who may not see who is registered.
pub(super) fn may_not_look(who: &Registrant) -> Answer {
    unnamed(who, "look")
}

fn may_not_register(who: &Registrant) -> Answer {
    unnamed(who, "register this service")
}

/// The answer to who is not named for what it asks.
fn unnamed(who: &Registrant, wish: &str) -> Answer {
    tracing::warn!(%who, wish, "turned away at the registry door");
    let key = match who {
        Registrant::Workload(_) => "identities",
        _ => "uids",
    };
    let message = format!("{who} may not {wish}: `{key}` of `[registry]` does not name it");
    forbidden("no_allow_rule", &message)
}

fn forbidden(reason: &'static str, message: &str) -> Answer {
    let mut answer = error(StatusCode::FORBIDDEN, "forbidden", message);
    answer.headers_mut().insert(REASON, HeaderValue::from_static(reason));
    answer
}

fn granted(granted: Result<Granted, Refusal>) -> Answer {
    match granted {
        Ok(granted) => {
            let lease = granted.ttl.as_secs();
            answer_json(StatusCode::OK, &json!({ "lease_s": lease, "revision": granted.revision }))
        }
        Err(refusal) => refused(refusal),
    }
}

fn refused(refusal: Refusal) -> Answer {
    let key = match refusal {
        Refusal::Unknown => return not_found("no such instance is registered: register it again"),
        Refusal::OlderIncarnation { .. } => "incarnation",
        Refusal::TtlOutOfBounds => "ttl_s",
        Refusal::NoAddress | Refusal::TooManyAddresses => "addresses",
        Refusal::WordTooLong => "zone` or `version",
        Refusal::MetadataTooLong => "metadata",
        Refusal::NotYours => return forbidden("identity_mismatch", &refusal.to_string()),
        Refusal::LeaseLost => return error(StatusCode::CONFLICT, "conflict", &refusal.to_string()),
        Refusal::TooManyServices
        | Refusal::TooManyInstances
        | Refusal::TooMuchText
        | Refusal::TooManyDecisions => {
            return unavailable(&refusal.to_string());
        }
    };
    let message = format!("`{key}`: {refusal}");
    match refusal {
        Refusal::OlderIncarnation { .. } => error(StatusCode::CONFLICT, "conflict", &message),
        _ => bad_request(&message),
    }
}

fn unavailable(message: &str) -> Answer {
    let mut answer = error(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message);
    answer.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
    answer
}

fn bad_request(message: &str) -> Answer {
    error(StatusCode::BAD_REQUEST, "bad_request", message)
}

fn nothing() -> Answer {
    not_found("there is /v1/registry/SERVICE, with /INSTANCE and /heartbeat below it")
}
