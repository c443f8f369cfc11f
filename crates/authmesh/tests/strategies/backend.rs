//! Servers that answer as they are told, and a mesh before them.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use authmesh::config::{DiscoverySource, MeshConfig, ServiceConfig};
use authmesh::discovery::Address;
use authmesh::status::OperationStatus;
use authmesh::worker::{RequestBody, ResponseBody};
use authmesh::{Error, Mesh, ServiceClient};
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A server whose every answer is the text that `answer` gives, byte by byte, and then the end of
/// the connection.
pub(crate) struct Raw {
    pub(crate) address: Address,
    asked: Arc<AtomicUsize>,
}

impl Raw {
    pub(crate) async fn start(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = Address::Tcp(listener.local_addr().unwrap());
        let asked = Arc::new(AtomicUsize::new(0));
        let (count, answer) = (Arc::clone(&asked), Arc::new(answer));
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (count, answer) = (Arc::clone(&count), Arc::clone(&answer));
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        let Ok(byte) = stream.read_u8().await else { return };
                        head.push(byte);
                    }
                    count.fetch_add(1, Ordering::SeqCst);
                    let text = answer(&String::from_utf8_lossy(&head));
                    // The mesh may have left.
                    let _ = stream.write_all(text.as_bytes()).await;
                });
            }
        });
        Self { address, asked }
    }

    /// How many requests came.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// An answer with this body.
pub(crate) fn answer(status: u16, fields: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} X\r\n{fields}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

/// A gRPC server: each answer has one message, and the fields of `trailers` behind it.
pub(crate) async fn grpc(
    trailers: impl Fn() -> Option<HeaderMap> + Clone + Send + 'static,
) -> Address {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = Address::Tcp(listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let trailers = trailers.clone();
            let service = service_fn(move |_: Request<hyper::body::Incoming>| {
                let message = Frame::data(Bytes::from_static(b"\0\0\0\0\0"));
                let frames = [Some(message), trailers().map(Frame::trailers)];
                let body = Listed(frames.into_iter().flatten().collect());
                let answer = Response::builder().header("content-type", "application/grpc");
                std::future::ready(answer.body(body))
            });
            tokio::spawn(
                hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    address
}

/// A body of the frames that are listed.
struct Listed(VecDeque<Frame<Bytes>>);

impl Body for Listed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(Ok))
    }
}

/// A mesh with one service, `token`, at these addresses; `set` may change its settings.
pub(crate) async fn mesh(
    addresses: impl IntoIterator<Item = Address>,
    set: impl FnOnce(&mut ServiceConfig),
) -> (Mesh, ServiceClient) {
    let source = DiscoverySource::Static(addresses.into_iter().collect());
    let mut service = ServiceConfig::new("token".parse().unwrap(), source);
    service.retry.attempts = 1;
    set(&mut service);
    let config = MeshConfig { services: vec![service], ..MeshConfig::default() };
    let mesh = Mesh::builder(config).lanes(1).build().await.unwrap();
    assert!(mesh.ready(std::time::Duration::from_secs(20)).await.is_empty());
    let client = mesh.service("token").unwrap();
    (mesh, client)
}

pub(crate) fn get(path: &str) -> Request<RequestBody> {
    let mut request = Request::new(RequestBody::empty());
    *request.uri_mut() = format!("http://token{path}").parse().unwrap();
    request
}

/// The status and the body of an answer, read to its end.
pub(crate) async fn whole(
    sent: Result<Response<ResponseBody>, Error>,
) -> Result<(u16, Bytes, Option<HeaderMap>), Error> {
    let (head, body) = sent?.into_parts();
    let body = body.collect().await?;
    let trailers = body.trailers().cloned();
    Ok((head.status.as_u16(), body.to_bytes(), trailers))
}

/// The default operation of `token`.
pub(crate) fn operation(mesh: &Mesh) -> OperationStatus {
    let operations = mesh.status().services.remove(0).operations;
    operations.into_iter().find(|operation| operation.name == "default").unwrap()
}
