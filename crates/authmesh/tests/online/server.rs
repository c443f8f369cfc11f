//! Servers that are looked at.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;

use authmesh::config::{IdentityConfig, TrustConfig};
use authmesh::identity::{Clients, MeshIdentity};
use authmesh_testkit::certificates::{Authority, Issued, write_closed};
use bytes::Bytes;
use http::header::DATE;
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// What a server does with a connection.
#[derive(Clone)]
pub(crate) enum Kind {
    /// Speaks HTTP.
    Http(Http),
    /// Speaks HTTP once the client proved itself.
    Tls(Arc<ServerConfig>, Http),
    /// Says these bytes and closes.
    Says(&'static [u8]),
    /// Says nothing and waits.
    Silent,
}

/// How HTTP is spoken.
#[derive(Clone, Default)]
pub(crate) struct Http {
    /// Whether it is HTTP/2 alone; HTTP/1.1 alone otherwise.
    pub(crate) is_http2: bool,
    /// The date that is told; the right one if `None`.
    pub(crate) date: Option<String>,
}

/// Starts a server on a free port and says its address.
pub(crate) async fn start(kind: Kind) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(stream, kind.clone()));
        }
    });
    address
}

/// An address that nobody listens at.
pub(crate) async fn closed() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().to_string()
}

/// What a workload of `believed` serves TLS with that shows `shown`.
pub(crate) fn tls(
    folder: &Path,
    shown: &Issued,
    believed: &Authority,
    protocols: &[&str],
) -> Arc<ServerConfig> {
    write_closed(folder, "believed.pem", &believed.bundle).unwrap();
    let path = |file: &str| folder.join(file).to_str().unwrap().into();
    let chain = CertificateDer::pem_slice_iter(shown.cert.as_bytes()).map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(shown.key.as_bytes()).unwrap();
    // It is shown even if it has ended.
    let shown = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()).unwrap();
    believed.issue("/service").unwrap().write(folder, "believer").unwrap();
    let believer = MeshIdentity::read(&IdentityConfig {
        cert: path("believer.pem"),
        key: path("believer.key"),
        trust: Some(TrustConfig {
            trust_domain: "corp.example".parse().unwrap(),
            bundle: path("believed.pem"),
            crl: None,
            federation: Vec::new(),
        }),
    });
    let mut config = (*believer.unwrap().server_config(Clients::Required, false)).clone();
    config.cert_resolver = Arc::new(SingleCertAndKey::from(shown));
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    Arc::new(config)
}

async fn serve(mut stream: TcpStream, kind: Kind) {
    match kind {
        Kind::Http(http) => speak(stream, http).await,
        Kind::Tls(config, http) => {
            if let Ok(stream) = TlsAcceptor::from(config).accept(stream).await {
                speak(stream, http).await;
            }
        }
        Kind::Says(words) => stream.write_all(words).await.unwrap_or(()),
        Kind::Silent => std::future::pending().await,
    }
}

async fn speak<S>(stream: S, http: Http)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let date = http.date.clone();
    let service = service_fn(move |request: http::Request<Incoming>| {
        let date = date.clone();
        async move {
            let is_asked = request.method() == Method::OPTIONS && request.uri().path() == "*";
            let is_check = request.method() == Method::GET && request.uri().path() == "/healthz";
            let mut response = Response::new(Empty::<Bytes>::new());
            *response.status_mut() = match (is_asked, is_check) {
                (true, _) => StatusCode::NO_CONTENT,
                (_, true) => StatusCode::OK,
                _ => StatusCode::NOT_FOUND,
            };
            if let Some(date) = date {
                response.headers_mut().insert(DATE, HeaderValue::from_str(&date).unwrap());
            }
            Ok::<_, Infallible>(response)
        }
    });
    let builder = Builder::new(TokioExecutor::new());
    let builder = if http.is_http2 { builder.http2_only() } else { builder.http1_only() };
    // Whoever looks closes when it has seen enough.
    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
}
