//! Asks a running mesh at its door for people.

use std::fmt::Display;
use std::path::PathBuf;
use std::time::Duration;

use authmesh::config::{self, AdminAccess, Files, Secret, SecretReference};
use authmesh_demo::Notice;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpStream, UnixStream};

use crate::arguments::Asking;
use crate::ending::{Ending, Failure};
use crate::mesh_file;

/// A client of the door for people.
pub(crate) struct AdminClient {
    place: Place,
    token: Option<Secret>,
}

/// What the mesh answered.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) value: Value,
}

enum Place {
    Unix(PathBuf),
    /// `host:port`.
    Tcp(String),
}

/// How long connecting may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// How long an answer may take; a reload is given half a minute by the mesh.
const ANSWER_LIMIT: Duration = Duration::from_secs(40);

/// The largest answer, in bytes.
const MOST_ANSWER_BYTES: usize = 256 * 1024 * 1024;

impl AdminClient {
    /// The client for the door that is named, or that the configuration file at hand speaks of.
    pub(crate) fn new(asking: &Asking) -> Result<Self, Failure> {
        let (place, mut token) = match &asking.admin {
            Some(named) => (named_place(named)?, token_of_demo(named)),
            None => configured()?,
        };
        if let Some(file) = &asking.token_file {
            token = Some(SecretReference::File(file.to_string_lossy().into()));
        } else if std::env::var_os(TOKEN_VARIABLE).is_some() {
            token = Some(SecretReference::Environment(TOKEN_VARIABLE.into()));
        }
        let token = match token {
            Some(reference) if matches!(place, Place::Tcp(_)) => {
                let fetched = Secret::fetch(&reference);
                Some(fetched.map_err(|error| Failure::bad_input(format!("the token: {error}")))?)
            }
            _ => None,
        };
        Ok(Self { place, token })
    }

    /// Asks what stands at `path`; anything but 200 is a failure.
    pub(crate) async fn read(&self, path: &str) -> Result<Value, Failure> {
        let answer = self.ask(Method::GET, path, Bytes::new()).await?;
        if answer.status == StatusCode::OK { Ok(answer.value) } else { Err(refusal(&answer)) }
    }

    /// Asks for what `path` does, and reads the answer.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: impl Into<Bytes>,
    ) -> Result<Answer, Failure> {
        self.exchange(method, path, None, body.into()).await
    }

    /// Asks to put `body` in the place of the configuration of this number.
    pub(crate) async fn put_config(
        &self,
        instead_of: u64,
        query: &[(&str, &str)],
        body: String,
    ) -> Result<Answer, Failure> {
        let pair = |(key, value): &(&str, &str)| format!("{key}={}", segment(value));
        let query: Vec<String> = query.iter().map(pair).collect();
        let path = format!("/v1/config?{}", query.join("&"));
        self.exchange(Method::POST, &path, Some(instead_of), body.into()).await
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        instead_of: Option<u64>,
        body: Bytes,
    ) -> Result<Answer, Failure> {
        let asking = async {
            let response = self.send(method, path, instead_of, body).await?;
            let status = response.status();
            let body = Limited::new(response.into_body(), MOST_ANSWER_BYTES).collect().await;
            let bytes = body.map_err(|error| self.unreached(error))?.to_bytes();
            let value = serde_json::from_slice(&bytes).map_err(|error| self.unreached(error))?;
            Ok(Answer { status, value })
        };
        let answer = tokio::time::timeout(ANSWER_LIMIT, asking).await;
        answer.unwrap_or_else(|_| Err(self.unreached("it does not answer")))
    }

    /// Asks what stands at `path`, and hands out the answer as it comes.
    pub(crate) async fn open(&self, path: &str) -> Result<Response<Incoming>, Failure> {
        self.send(Method::GET, path, None, Bytes::new()).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        instead_of: Option<u64>,
        body: Bytes,
    ) -> Result<Response<Incoming>, Failure> {
        let (host, connected) = match &self.place {
            Place::Unix(path) => {
                let connecting = tokio::time::timeout(CONNECT_LIMIT, UnixStream::connect(path));
                ("localhost", connecting.await.map(|stream| stream.map(Connection::Unix)))
            }
            Place::Tcp(authority) => {
                let connecting = TcpStream::connect(authority.as_str());
                let connecting = tokio::time::timeout(CONNECT_LIMIT, connecting);
                (authority.as_str(), connecting.await.map(|stream| stream.map(Connection::Tcp)))
            }
        };
        let connected = connected.map_err(|_| self.unreached("it takes no connection"))?;
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, host)
            .body(Full::new(body))
            .map_err(Failure::bad_input)?;
        if let Some(tag) =
            instead_of.and_then(|number| HeaderValue::from_str(&format!("\"{number}\"")).ok())
        {
            request.headers_mut().insert(header::IF_MATCH, tag);
        }
        if let Some(token) = &self.token {
            let value = [b"Bearer ", token.expose()].concat();
            let mut value = HeaderValue::from_bytes(&value)
                .map_err(|_| Failure::bad_input("the token holds what a header field cannot"))?;
            value.set_sensitive(true);
            request.headers_mut().insert(header::AUTHORIZATION, value);
        }
        let response = match connected.map_err(|error| self.unreached(error))? {
            Connection::Unix(stream) => exchange(TokioIo::new(stream), request).await,
            Connection::Tcp(stream) => exchange(TokioIo::new(stream), request).await,
        };
        response.map_err(|error| self.unreached(error))
    }

    /// The failure of a mesh that is not there.
    pub(crate) fn unreached(&self, error: impl Display) -> Failure {
        let place = match &self.place {
            Place::Unix(path) => format!("unix:{}", path.display()),
            Place::Tcp(authority) => format!("http://{authority}"),
        };
        let message = format!(
            "no running mesh reached at {place}: {error}\n  = help: start it with `authmesh run`, \
             or say where its admin door is with `--admin`"
        );
        Failure::new(Ending::NoMesh, message)
    }
}

/// The failure of a mesh that says no.
pub(crate) fn refusal(answer: &Answer) -> Failure {
    let message = answer.value["message"].as_str().unwrap_or("the mesh refused");
    let message = match answer.status {
        StatusCode::UNAUTHORIZED => format!(
            "{message}\n  = help: name the file of the token with `--token-file`, or set \
             {TOKEN_VARIABLE}"
        ),
        _ => message.to_owned(),
    };
    Failure::new(Ending::No, message)
}

/// Where a service stands.
pub(crate) fn service_path(service: &str) -> String {
    format!("/v1/services/{}", segment(service))
}

/// Where a breaker stands.
pub(crate) fn breaker_path(key: &str) -> String {
    format!("/v1/breakers/{}", segment(key))
}

/// Where an instance stands.
pub(crate) fn instance_path(service: &str, instance: &str) -> String {
    format!("{}/instances/{}", service_path(service), segment(instance))
}

const TOKEN_VARIABLE: &str = "AUTHMESH_ADMIN_TOKEN";

enum Connection {
    Unix(UnixStream),
    Tcp(TcpStream),
}

async fn exchange<S>(
    stream: S,
    request: Request<Full<Bytes>>,
) -> Result<Response<Incoming>, hyper::Error>
where
    S: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await?;
    // It ends with the answer; whatever is wrong with it, the answer shows.
    drop(tokio::spawn(connection));
    sender.send_request(request).await
}

fn named_place(named: &str) -> Result<Place, Failure> {
    if let Some(path) = named.strip_prefix("unix:") {
        return Ok(Place::Unix(path.into()));
    }
    let authority = named.strip_prefix("http://").map(|rest| rest.trim_end_matches('/'));
    match authority {
        Some(authority) if !authority.is_empty() && !authority.contains('/') => {
            Ok(Place::Tcp(authority.to_owned()))
        }
        _ => Err(Failure::bad_input(format!(
            "`{named}` is no place of an admin door\n  = help: write `unix:/path` or \
             `http://127.0.0.1:9901`"
        ))),
    }
}

/// The door that the configuration file at hand speaks of.
fn configured() -> Result<(Place, Option<SecretReference>), Failure> {
    let unknown = |why: String| {
        Failure::new(
            Ending::NoMesh,
            format!(
                "it is not known where the mesh can be asked: {why}\n  = help: say where its \
                 admin door is with `--admin unix:/path`, or set AUTHMESH_ADMIN"
            ),
        )
    };
    let Some(file) = mesh_file::found() else {
        if let Some(demo) = Notice::find() {
            return Ok((named_place(&demo.admin)?, token_of_demo(&demo.admin)));
        }
        return Err(unknown("there is no mesh.toml here or in /etc/authmesh".to_owned()));
    };
    let loaded = config::load(&file, Files::Trust).map_err(|_| {
        unknown(format!("{} has errors; `authmesh check` tells them", file.display()))
    })?;
    match loaded.config.security.admin.map(|admin| admin.access) {
        Some(AdminAccess::Socket { path, .. }) => Ok((Place::Unix(PathBuf::from(&*path)), None)),
        Some(AdminAccess::Loopback { address, token }) => {
            Ok((Place::Tcp(address.to_string()), Some(token)))
        }
        None => Err(unknown(format!("{} has no `[admin]`", file.display()))),
    }
}

/// Where the token stands, if this is the door of the demonstration that this user runs.
fn token_of_demo(admin: &str) -> Option<SecretReference> {
    let demo = Notice::find().filter(|demo| demo.admin == admin.trim_end_matches('/'))?;
    Some(SecretReference::File(demo.token_file.to_string_lossy().into()))
}

/// A name as a segment of a path (RFC 3986, 2.1).
fn segment(name: &str) -> String {
    let encoded = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    name.bytes().map(encoded).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_segment() {
        assert_eq!(segment("a-b.c"), "a-b.c");
        assert_eq!(segment("../x?y#z"), "..%2Fx%3Fy%23z");
    }
}
