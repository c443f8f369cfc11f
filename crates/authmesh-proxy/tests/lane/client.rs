//! Clients: bytes on a connection, and HTTP/2.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::proxy::Running;

pub(crate) type AnyBody = BoxBody<Bytes, std::io::Error>;

/// Sends a whole text and reads until the other side ends.
pub(crate) async fn exchange(stream: &mut TcpStream, text: &str) -> String {
    stream.write_all(text.as_bytes()).await.unwrap();
    read_all(stream).await
}

/// What the other side still sends before it ends or breaks the connection.
pub(crate) async fn read_all(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A reset behind the last byte is an end as well.
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

/// An HTTP/2 connection to the proxy. It ends when the last clone is dropped.
pub(crate) async fn http2(proxy: &Running) -> SendRequest<AnyBody> {
    let stream = TokioIo::new(proxy.connect().await);
    let (sender, connection) = handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    sender
}

pub(crate) fn request(path: &str) -> Request<AnyBody> {
    let request = Request::builder().uri(format!("http://token{path}"));
    request.body(Empty::new().map_err(|never| match never {}).boxed()).unwrap()
}

/// The whole body; `Err` if it did not end well.
pub(crate) async fn whole(answer: Response<Incoming>) -> Result<Bytes, hyper::Error> {
    Ok(answer.into_body().collect().await?.to_bytes())
}
