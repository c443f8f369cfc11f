//! Meshes over such servers, and requests through them.

use std::future::Future;
use std::time::Duration;

use authmesh::config::{DiscoverySource, MeshConfig, ServiceConfig};
use authmesh::discovery::Address;
use authmesh::{Error, Mesh, ServiceClient};
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use tower::ServiceExt;

/// How long any single test may wait for what must come.
const LIMIT: Duration = Duration::from_secs(30);

/// A service `token` at these addresses.
pub(crate) fn token(addresses: impl IntoIterator<Item = Address>) -> ServiceConfig {
    let addresses = addresses.into_iter().collect();
    ServiceConfig::new("token".parse().unwrap(), DiscoverySource::Static(addresses))
}

/// The configuration of these services.
pub(crate) fn config(services: impl IntoIterator<Item = ServiceConfig>) -> MeshConfig {
    MeshConfig { services: services.into_iter().collect(), ..MeshConfig::default() }
}

/// A mesh of these services that knows all of their instances.
pub(crate) async fn mesh(services: impl IntoIterator<Item = ServiceConfig>) -> Mesh {
    let mesh = Mesh::builder(config(services)).build().await.unwrap();
    assert_eq!(mesh.ready(LIMIT).await, []);
    mesh
}

/// Sends one request, and gives the status and the whole body of its answer.
pub(crate) async fn send(
    client: &ServiceClient,
    method: Method,
) -> Result<(StatusCode, Bytes), Error> {
    let request = Request::builder().method(method).uri("http://token/introspect");
    send_with(client, request.body(Full::from("token=abc")).unwrap()).await
}

/// Sends this request through the face that tower gives it.
pub(crate) async fn send_with(
    client: &ServiceClient,
    request: Request<Full<Bytes>>,
) -> Result<(StatusCode, Bytes), Error> {
    let answer = within(client.clone().oneshot(request)).await?;
    let status = answer.status();
    let body = within(answer.into_body().collect()).await.unwrap().to_bytes();
    Ok((status, body))
}

/// What must come within the time of a test.
pub(crate) async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, work).await.unwrap()
}

/// Waits until something holds, letting others work in between.
pub(crate) async fn until(holds: impl Fn() -> bool) {
    within(async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
