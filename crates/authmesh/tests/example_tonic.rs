//! The tonic example calls a real gRPC server through a mesh, and calls another when it is gone.

#![expect(clippy::unwrap_used, reason = "helpers of a test; a fault fails it")]

use std::net::SocketAddr;

use authmesh::Mesh;
use authmesh::config::{DiscoverySource, MeshConfig, Protocol, ServiceConfig};
use authmesh::discovery::Address;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tonic_health::pb::health_check_response::ServingStatus;
use tower::Service;

#[expect(dead_code, reason = "its `main` reads a file and takes a port: that is for people")]
#[path = "../examples/tonic.rs"]
mod example;

/// A gRPC server of its own health; dropping the set ends it and its connections.
async fn session_service() -> (SocketAddr, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (_, health) = tonic_health::server::health_reporter();
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let health = health.clone();
            let service = service_fn(move |request| health.clone().call(request));
            let server = http2::Builder::new(TokioExecutor::new());
            connections.spawn(server.serve_connection(TokioIo::new(stream), service));
        }
    });
    (address, serving)
}

#[tokio::test]
async fn the_example_is_answered_and_goes_elsewhere_when_a_server_is_gone() {
    let (one, one_serving) = session_service().await;
    let (other, _other_serving) = session_service().await;
    let addresses = vec![Address::Tcp(one), Address::Tcp(other)];
    let source = DiscoverySource::Static(addresses);
    let service = ServiceConfig {
        protocol: Protocol::Http2,
        ..ServiceConfig::new("session".parse().unwrap(), source)
    };
    let config = MeshConfig { services: vec![service], ..MeshConfig::default() };
    let mesh = Mesh::builder(config).build().await.unwrap();
    assert_eq!(mesh.ready(std::time::Duration::from_secs(30)).await, []);

    for _ in 0..10 {
        assert_eq!(example::ask(&mesh).await.unwrap(), ServingStatus::Serving as i32);
    }
    drop(one_serving);
    let mut answered = 0;
    for _ in 0..10 {
        answered += usize::from(example::ask(&mesh).await.is_ok());
    }
    // A call that was on its way when its connection broke may not be sent twice.
    assert!(answered >= 9, "{answered} of 10");
}
