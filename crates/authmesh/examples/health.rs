//! Watches one address and says what it concludes.
#![expect(clippy::print_stdout, reason = "an example shows what it found")]
use authmesh::discovery::{Address, Instance};
use authmesh::health::{Check, HealthMonitor, Policy};

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let instance = Instance::at(Address::Tcp(listener.local_addr()?));
    let mut monitor = HealthMonitor::new(Policy::of(Check::Tcp));
    monitor.set_instances([(instance.into(), Default::default())]);
    let change = monitor.next().await;
    println!("{} is {}: {}", change.instance, change.status.word(), change.reason);
    Ok(())
}
