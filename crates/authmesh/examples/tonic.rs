//! A tonic client whose calls go through the mesh to a service with `protocol = "http2"`.
use authmesh::Mesh;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient; // any generated client is used so

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mesh = Mesh::load("mesh.toml").await?;
    ask(&mesh).await.map(drop)
}

pub(crate) async fn ask(mesh: &Mesh) -> Result<i32, Box<dyn std::error::Error>> {
    let session = mesh.service("session").ok_or("the mesh has no service `session`")?;
    let mut client = HealthClient::new(session);
    let answer = client.check(HealthCheckRequest::default()).await?;
    Ok(answer.into_inner().status)
}
