//! The axum example serves real requests through a mesh, and refuses in the mesh's own words.

#![expect(clippy::unwrap_used, reason = "helpers of a test; a fault fails it")]

use std::convert::Infallible;
use std::net::SocketAddr;

use authmesh::Mesh;
use authmesh::config::{DiscoverySource, MeshConfig, ServiceConfig};
use authmesh::discovery::Address;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Empty};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

#[expect(dead_code, reason = "its `main` reads a file and takes a port: that is for people")]
#[path = "../examples/axum.rs"]
mod example;

/// A token service that knows every token.
async fn token_service() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = service_fn(async |request: Request<hyper::body::Incoming>| {
                Ok::<_, Infallible>(Response::new(format!("{} is known", request.uri().path())))
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}

async fn mesh(token: Vec<Address>) -> Mesh {
    let service = ServiceConfig::new("token".parse().unwrap(), DiscoverySource::Static(token));
    let config = MeshConfig { services: vec![service], ..MeshConfig::default() };
    let mesh = Mesh::builder(config).build().await.unwrap();
    assert_eq!(mesh.ready(std::time::Duration::from_secs(30)).await, []);
    mesh
}

/// Asks the axum program over a socket.
async fn ask(mesh: &Mesh) -> (StatusCode, Option<String>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = example::app(mesh).unwrap();
    let serving = tokio::spawn(async move { axum::serve(listener, app).await });
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get("/introspect").header(header::HOST, "app");
    let answer = sender.send_request(request.body(Empty::<bytes::Bytes>::new()).unwrap()).await;
    let (head, body) = answer.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    serving.abort();
    let reason = head.headers.get("x-authmesh-reason");
    let reason = reason.map(|reason| reason.to_str().unwrap().to_owned());
    (head.status, reason, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn the_example_answers_through_the_mesh() {
    let mesh = mesh(vec![Address::Tcp(token_service().await)]).await;
    let answer = ask(&mesh).await;
    assert_eq!(answer, (StatusCode::OK, None, "/introspect is known".to_owned()));
    let metrics = mesh.metrics();
    let operation = metrics.service("token").unwrap().operation("introspect").unwrap();
    assert_eq!(operation.answered, 1);
}

#[tokio::test]
async fn the_example_refuses_with_a_reason_when_nobody_can_answer() {
    let answer = ask(&mesh(vec![]).await).await;
    let expected = (StatusCode::SERVICE_UNAVAILABLE, Some("no_endpoint".to_owned()));
    assert_eq!((answer.0, answer.1), expected);
    assert_eq!(answer.2, r#"{"error":"unavailable"}"#);
}
