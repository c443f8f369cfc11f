//! A mesh whose configuration changes, and meshes that end.

use std::time::Duration;

use authmesh::circuit_breaker::{CircuitBreakerMetrics, State, Window};
use authmesh::config::{DiscoverySource, RegistryConfig, ServiceConfig};
use authmesh::discovery::{DEFAULT_TTL, Instance, Registrants, Registry, ServiceName};
use authmesh::telemetry::{EventKind, ServiceMetrics};
use authmesh::{BuildError, Mesh};
use http::{Method, StatusCode};

use crate::backend::{Backend, Manner};
use crate::mesh::{config, mesh, send, token, until, within};

#[tokio::test]
async fn what_stays_in_the_configuration_keeps_its_state() {
    let (first, second) =
        (Backend::start("first", Manner::Answers), Backend::start("second", Manner::Answers));
    let mesh = mesh([token([first.address.clone()])]).await;
    let client = mesh.service("token").unwrap();
    for _ in 0..5 {
        send(&client, Method::GET).await.unwrap();
    }
    let mut before = mesh.metrics().services.remove(0);
    assert_eq!((before.instances[0].breaker.counts.total, before.connections), (5, 1));

    let mut login = token([second.address.clone()]);
    login.name = "login".parse().unwrap();
    let mut changed = token([first.address.clone(), second.address.clone()]);
    changed.timeout *= 2;
    mesh.reconfigure(config([login, changed])).await.unwrap();
    until(|| mesh.metrics().service("token").unwrap().instances.len() == 2).await;

    let after = mesh.metrics();
    let mut after = after.service("token").unwrap().clone();
    assert!(after.generation > before.generation);
    after.instances.retain(|instance| instance.id == before.instances[0].id);
    // Only the time in the state goes on.
    for (before, after) in breakers(&mut before).zip(breakers(&mut after)) {
        assert!(after.time_in_state[0] > before.time_in_state[0]);
        after.time_in_state = before.time_in_state;
    }
    assert_eq!(after.instances, before.instances);
    assert_eq!((after.connections, after.operations), (1, before.operations));
    let login = mesh.service("login").unwrap();
    until(|| login.pick().is_ok()).await;
    assert_eq!(send(&login, Method::GET).await.unwrap().1, "second");
    assert_eq!(send(&client, Method::GET).await.unwrap().0, StatusCode::OK);

    mesh.reconfigure(config([])).await.unwrap();
    assert!(mesh.service("token").is_none());
}

/// The breakers of a service's operations and instances.
fn breakers(service: &mut ServiceMetrics) -> impl Iterator<Item = &mut CircuitBreakerMetrics> {
    let operations = service.operations.iter_mut().map(|operation| &mut operation.breaker);
    operations.chain(service.instances.iter_mut().map(|instance| &mut instance.breaker))
}

#[tokio::test]
async fn a_breaker_with_other_windows_keeps_its_evidence() {
    let backend = Backend::start("token", Manner::Answers);
    let mut service = token([backend.address.clone()]);
    let mesh = mesh([service.clone()]).await;
    let client = mesh.service("token").unwrap();
    for _ in 0..5 {
        send(&client, Method::GET).await.unwrap();
    }
    let window = Window::Time { length: Duration::from_secs(60), buckets: 6 };
    (service.breaker.window, service.endpoint_breaker.window) = (window, window);
    let generation = || mesh.metrics().services[0].generation;
    let before = generation();
    mesh.reconfigure(config([service])).await.unwrap();
    until(|| generation() > before).await;
    let mut after = mesh.metrics().services.remove(0);
    for breaker in breakers(&mut after) {
        assert_eq!((breaker.counts.total, breaker.state), (5, State::Closed));
    }
}

#[tokio::test]
async fn who_registers_gets_requests_until_it_leaves_and_both_are_events() {
    let backend = Backend::start("token", Manner::Answers);
    let name: ServiceName = "token".parse().unwrap();
    let mut config = config([ServiceConfig::new(name.clone(), DiscoverySource::Registry)]);
    let nowhere = Mesh::builder(config.clone()).build().await;
    assert!(matches!(nowhere, Err(BuildError::NoRegistry(service)) if service == name));
    config.registry = RegistryConfig::Embedded {
        address: None,
        is_mutual: false,
        persist: None,
        registrants: Registrants::Owner,
    };
    let mesh = Mesh::builder(config).build().await.unwrap();
    let mut events = mesh.events();
    let client = mesh.service("token").unwrap();
    let registry: &Registry = mesh.registry().unwrap();

    let registration =
        registry.register(&name, Instance::at(backend.address.clone()), DEFAULT_TTL).unwrap();
    assert!(matches!(within(events.next()).await.unwrap().kind, EventKind::Joined(_)));
    until(|| client.pick().is_ok()).await;
    assert_eq!(send(&client, Method::GET).await.unwrap().1, "token");
    assert_eq!(mesh.metrics().registry.unwrap().instances, 1);

    drop(registration);
    assert!(matches!(within(events.next()).await.unwrap().kind, EventKind::Left(_)));
    until(|| client.pick().is_err()).await;
    assert_eq!(events.missed(), 0);
}
