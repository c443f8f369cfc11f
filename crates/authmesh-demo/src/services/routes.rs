//! What each service answers to which request.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::system::{Grant, System};
use super::tokens::LIFETIME_S;
use crate::secret::Secret;
use crate::side::Side;

/// A service of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Checks passwords.
    Login,
    /// Issues and refreshes tokens, publishes the keys.
    Token,
    /// Knows sessions, says whether a token is good.
    Session,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Login, Self::Token, Self::Session];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Token => "token",
            Self::Session => "session",
        }
    }
}

#[derive(Deserialize)]
struct Login {
    user: String,
    password: String,
}

#[derive(Deserialize)]
struct Refresh {
    refresh_token: String,
}

#[derive(Deserialize)]
struct Introspect {
    token: String,
}

/// The largest request body, in bytes.
const BODY_MOST: usize = 16 * 1024;

/// Answers a request at an instance that hashes so many passwords at once. A token is spent and
/// replaced in one step: whoever hangs up in between changes nothing.
pub(crate) async fn answer(
    system: &Arc<System>,
    kind: Kind,
    hashing: &Semaphore,
    request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let side = head.headers.get(Side::HEADER).and_then(|name| Side::named(name.as_bytes()));
    if let Some(side) = side {
        system.counters.arrived(side);
    }
    let Ok(body) = Limited::new(body, BODY_MOST).collect().await else {
        return refused(StatusCode::BAD_REQUEST, "invalid_request");
    };
    let body = body.to_bytes();
    match (kind, &head.method, head.uri.path()) {
        (_, &Method::GET, "/healthz") => reply(StatusCode::OK, &json!({ "status": "ok" })),
        (Kind::Login, &Method::POST, "/login") => log_in(system, hashing, &body).await,
        (Kind::Token, &Method::POST, "/token") => refresh(system, &body, side),
        (Kind::Token, &Method::GET, "/jwks.json") => reply(StatusCode::OK, &system.key_set()),
        (Kind::Session, &Method::POST, "/introspect") => introspect(system, &body),
        _ => refused(StatusCode::NOT_FOUND, "not_found"),
    }
}

async fn log_in(system: &Arc<System>, hashing: &Semaphore, body: &[u8]) -> Response<Full<Bytes>> {
    let Ok(Login { user, password }) = serde_json::from_slice(body) else {
        return refused(StatusCode::BAD_REQUEST, "invalid_request");
    };
    // The semaphore is never closed, and a hash does not panic.
    let turn = hashing.acquire().await;
    let checking = Arc::clone(system);
    let checked =
        tokio::task::spawn_blocking(move || checking.accounts.check(&user, &Secret::new(password)));
    let checked = checked.await;
    drop(turn);
    match checked {
        Ok(Some(account)) => granted(&system.log_in(account)),
        Ok(None) => refused(StatusCode::UNAUTHORIZED, "invalid_credentials"),
        Err(_) => refused(StatusCode::INTERNAL_SERVER_ERROR, "server_error"),
    }
}

fn refresh(system: &System, body: &[u8], side: Option<Side>) -> Response<Full<Bytes>> {
    let Ok(Refresh { refresh_token }) = serde_json::from_slice(body) else {
        return refused(StatusCode::BAD_REQUEST, "invalid_request");
    };
    match system.refresh(&Secret::new(refresh_token), side) {
        Some(grant) => granted(&grant),
        None => refused(StatusCode::BAD_REQUEST, "invalid_grant"),
    }
}

fn introspect(system: &System, body: &[u8]) -> Response<Full<Bytes>> {
    let Ok(Introspect { token }) = serde_json::from_slice(body) else {
        return refused(StatusCode::BAD_REQUEST, "invalid_request");
    };
    let answer = match system.introspect(&token) {
        Some(claims) => json!({ "active": true, "sub": claims.sub, "exp": claims.exp }),
        None => json!({ "active": false }),
    };
    reply(StatusCode::OK, &answer)
}

fn granted(grant: &Grant) -> Response<Full<Bytes>> {
    let body = json!({
        "access_token": grant.access.expose(),
        "token_type": "Bearer",
        "expires_in": LIFETIME_S,
        "refresh_token": grant.refresh.expose(),
    });
    reply(StatusCode::OK, &body)
}

fn refused(status: StatusCode, error: &str) -> Response<Full<Bytes>> {
    reply(status, &json!({ "error": error }))
}

/// An answer with this body.
pub(crate) fn reply(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = status;
    let json = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    let no_store = header::HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, no_store);
    response
}
