//! An axum program whose route leads through the mesh to the service `token`.
use authmesh::{Error, Mesh};
use axum::Router;
use axum::error_handling::HandleError;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mesh = Mesh::load("mesh.toml").await?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    Ok(axum::serve(listener, app(&mesh).ok_or("the mesh has no service `token`")?).await?)
}

pub(crate) fn app(mesh: &Mesh) -> Option<Router> {
    let token = mesh.service("token")?.operation("introspect");
    let token = HandleError::new(token, |error: Error| async move { error.refusal() });
    Some(Router::new().route_service("/introspect", token))
}
