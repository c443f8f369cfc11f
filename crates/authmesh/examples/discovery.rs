//! A registry in this process, and a watch on a service of it.
#![expect(clippy::print_stdout, reason = "an example shows what it found")]
use authmesh::discovery::{Address, DEFAULT_TTL, Instance, Registry, ServiceName, Source, Update};

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (registry, token) = (Registry::embedded(), "token".parse::<ServiceName>()?);
    let instance = Instance::at("127.0.0.1:9001".parse::<Address>()?);
    let registration = registry.register(&token, instance, DEFAULT_TTL)?;
    if let Update::View(view) = registry.watch(&token).next().await {
        println!("{} instance of {token} at revision {}", view.instances.len(), view.revision);
    }
    drop(registration); // the instance deregisters
    assert!(registry.list(&token).instances.is_empty());
    Ok(())
}
