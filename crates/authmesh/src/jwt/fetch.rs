//! Fetches one document over HTTPS: no redirection, no credentials, bounded in size.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use authmesh_logic::jwt::fresh_for;
use bytes::Bytes;
use http::header::{ACCEPT, CACHE_CONTROL, CONNECTION, HOST, USER_AGENT};
use http::{Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::fetch_fault::FetchFault;

/// A document that came.
pub(super) struct Fetched {
    pub(super) body: Bytes,
    /// For how long it says it is fresh.
    pub(super) fresh_for: Option<Duration>,
}

/// The longest document that is read, in bytes.
const LONGEST_BODY: usize = 256 * 1024;

/// How much is held while the head of an answer is read, in bytes.
const LONGEST_HEAD: usize = 64 * 1024;

/// Fetches the document at `url`, which was judged to be one that keys may come from; over TLS where
/// it says so. Without limit of time: the caller owns the clock.
pub(super) async fn get(url: &str, tls: &Arc<ClientConfig>) -> Result<Fetched, FetchFault> {
    let uri: Uri = url.parse().map_err(|_| FetchFault::Unreachable("it is no URL".into()))?;
    let is_encrypted = uri.scheme_str() == Some("https");
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = uri.port_u16().unwrap_or(if is_encrypted { 443 } else { 80 });
    let stream = connect(&host, port, is_encrypted).await?;
    if !is_encrypted {
        return ask(&uri, stream).await;
    }
    let name = ServerName::try_from(host)
        .map_err(|_| FetchFault::Unproved("its host is no name".into()))?;
    let secured = TlsConnector::from(Arc::clone(tls)).connect(name, stream).await;
    ask(&uri, secured.map_err(|error| FetchFault::Unproved(error.to_string()))?).await
}

/// Connects to the first address of `host` that can be reached; without encryption to one of this
/// machine alone, whatever the name was resolved to.
async fn connect(host: &str, port: u16, is_encrypted: bool) -> Result<TcpStream, FetchFault> {
    let unreachable = |error: std::io::Error| FetchFault::Unreachable(error.to_string());
    let found = tokio::net::lookup_host((host, port)).await.map_err(unreachable)?;
    let may_be_asked = |address: &SocketAddr| is_encrypted || address.ip().is_loopback();
    let mut last = FetchFault::Unreachable("the name has no address that may be asked".into());
    for address in found.filter(may_be_asked) {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = unreachable(error),
        }
    }
    Err(last)
}

async fn ask<S>(uri: &Uri, stream: S) -> Result<Fetched, FetchFault>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let request = Request::get(target)
        .header(HOST, uri.authority().map_or("", |authority| authority.as_str()))
        .header(USER_AGENT, "authmesh-jwks")
        .header(ACCEPT, "application/json, application/jwk-set+json")
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|_| FetchFault::Broken)?;
    let io = TokioIo::new(stream);
    let handshake = http1::Builder::new().max_buf_size(LONGEST_HEAD).handshake(io).await;
    let (mut sender, connection) = handshake.map_err(|_| FetchFault::Broken)?;
    let mut exchange = pin!(async move {
        let answer = sender.send_request(request).await.map_err(|_| FetchFault::Broken)?;
        read(answer).await
    });
    beside(connection, exchange.as_mut()).await
}

/// Drives `connection` while `exchange` goes on. What was sent before the peer closed is still read.
async fn beside<T>(connection: impl Future, mut exchange: impl Future<Output = T> + Unpin) -> T {
    tokio::select! {
        answer = &mut exchange => answer,
        _ = connection => exchange.await,
    }
}

async fn read(answer: Response<Incoming>) -> Result<Fetched, FetchFault> {
    if answer.status() != StatusCode::OK {
        return Err(FetchFault::Status(answer.status().as_u16()));
    }
    let stated = answer.headers().get(CACHE_CONTROL).and_then(|value| value.to_str().ok());
    let fresh_for = stated.and_then(fresh_for);
    let body = Limited::new(answer.into_body(), LONGEST_BODY).collect().await;
    let body = body.map_err(|error| match error.is::<http_body_util::LengthLimitError>() {
        true => FetchFault::TooLong,
        false => FetchFault::Broken,
    })?;
    Ok(Fetched { body: body.to_bytes(), fresh_for })
}
