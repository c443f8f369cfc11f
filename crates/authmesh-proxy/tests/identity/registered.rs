//! An instance must prove the identity under which it was registered, and nobody of the same trust
//! domain gets what is meant for it.

use std::net::SocketAddr;

use authmesh::discovery::Registry;
use authmesh::identity::{HandshakeEnd, Side};
use authmesh::{ErrorKind, Mesh};
use authmesh_proxy::Proxy;

use crate::backend::Backend;
use crate::caller::Caller;
use crate::names::ask;
use crate::place::{IDENTITY, Place, address};
use crate::registry::{door, with_registry};

/// A workload behind mutual TLS.
struct Workload {
    _place: Place,
    _proxy: Proxy,
    backend: Backend,
    address: SocketAddr,
}

impl Workload {
    /// A workload of this name in the trust domain of `mesh`.
    async fn named(name: &str, mesh: &Place) -> Self {
        let (place, backend) = (Place::new(), Backend::start().await);
        mesh.authority.issue(name).unwrap().write(place.path(), "mesh").unwrap();
        place.write("bundle.pem", &mesh.authority.bundle);
        let service = format!("endpoints = [\"{}\"]", backend.address);
        let proxy = place.proxy(IDENTITY, "mutual", &service).await;
        let address = address(&proxy).await;
        Self { _place: place, _proxy: proxy, backend, address }
    }
}

const RULES: &str = "tls = { mode = \"mutual\" }\n\
     identities = { \"spiffe://corp.example/a\" = \"login\", \
     \"spiffe://corp.example/b\" = \"login\" }\n";

/// A mesh with a registry, which calls what is registered there as `login`.
async fn calling(place: &Place, service: &str) -> Proxy {
    keeping(place, service, "").await
}

/// The same with another key of its registry.
async fn keeping(place: &Place, service: &str, key: &str) -> Proxy {
    let service = format!("discover = {{ registry = true }}\nbalance = \"round_robin\"\n{service}");
    let registry = with_registry("127.0.0.1:0", &format!("{RULES}{key}\n"));
    place.proxy(&registry, "mutual", &service).await
}

const PERSIST: &str = "persist = \"records\"";

/// Asks at the registry's door as the workload `name`.
async fn say(place: &Place, proxy: &Proxy, name: &str, method: &str, id: &str, facts: &str) {
    let issued = place.authority.issue(name).unwrap();
    let mut call = Caller::showing(Some(&issued)).call(door(proxy)).await.unwrap();
    let path = format!("/v1/registry/login/{id}");
    let (head, body) = call.send(method, &path, facts).await.unwrap();
    assert!(head.contains(" 200 "), "{head}{body}");
}

/// Registers `id` at `address` as the workload `name`, and waits until the mesh knows.
async fn register(place: &Place, proxy: &Proxy, name: &str, id: &str, address: SocketAddr) {
    let facts = format!("{{\"addresses\":[\"{address}\"],\"ttl_s\":600}}");
    say(place, proxy, name, "PUT", id, &facts).await;
    until(proxy.mesh(), |instances| instances.contains(&(id.to_owned(), address.to_string())))
        .await;
}

/// Waits until the instances of `login`, with their addresses, are as wanted.
async fn until(mesh: &Mesh, wanted: impl Fn(&[(String, String)]) -> bool) {
    loop {
        let services = mesh.status().services;
        let instances = services.into_iter().flat_map(|service| service.instances);
        let instances: Vec<_> = instances.map(|it| (it.id, it.address)).collect();
        if wanted(&instances) {
            return;
        }
        tokio::task::yield_now().await;
    }
}

/// How a request ended.
async fn end(mesh: &Mesh) -> Option<ErrorKind> {
    ask(mesh).await.err().map(|error| error.kind())
}

/// What checks conclude of an instance, once they do.
async fn concluded(mesh: &Mesh, id: &str) -> &'static str {
    loop {
        let services = mesh.status().services;
        let found = services.into_iter().flat_map(|it| it.instances).find(|it| it.id == id);
        if let Some(found) = found.filter(|it| it.health != "unknown") {
            return found.health;
        }
        tokio::task::yield_now().await;
    }
}

fn mismatches(mesh: &Mesh) -> u64 {
    mesh.identity().counted(Side::Outbound, HandshakeEnd::IdentityMismatch)
}

#[tokio::test]
async fn each_instance_must_prove_the_identity_that_registered_it() {
    let place = Place::new();
    let (a, b) = (Workload::named("/a", &place).await, Workload::named("/b", &place).await);
    let proxy = calling(&place, "retry = { attempts = 3 }").await;
    let mesh = proxy.mesh();
    register(&place, &proxy, "/a", "one", a.address).await;
    register(&place, &proxy, "/b", "two", b.address).await;
    for _ in 0..4 {
        assert_eq!(end(mesh).await, None);
    }
    assert_eq!((a.backend.asked(), b.backend.asked(), mismatches(mesh)), (2, 2, 0));
    let login = mesh.status().services.remove(0);
    let told: Vec<_> = login.instances.into_iter().filter_map(|it| it.identity).collect();
    assert_eq!(told, ["spiffe://corp.example/a", "spiffe://corp.example/b"]);

    // Now `b` says that it is where `a` is, whose certificate is good and another's.
    register(&place, &proxy, "/b", "two", a.address).await;
    for _ in 0..4 {
        assert_eq!(end(mesh).await, None, "`one` answers instead");
    }
    assert!(mismatches(mesh) > 0);
    say(&place, &proxy, "/a", "DELETE", "one", "").await;
    until(mesh, |instances| instances.len() == 1).await;
    let before = a.backend.asked();
    assert_eq!(end(mesh).await, Some(ErrorKind::IdentityMismatch));
    assert_eq!((a.backend.asked(), b.backend.asked()), (before, 2), "not a byte was sent");
}

#[tokio::test]
async fn the_identity_outlives_the_registry() {
    let place = Place::new();
    let (a, b) = (Workload::named("/a", &place).await, Workload::named("/b", &place).await);
    let first = keeping(&place, "", PERSIST).await;
    register(&place, &first, "/b", "two", a.address).await;
    first.stop().await;
    // What still holds the records lets them go soon.
    while Registry::embedded_persisted(place.file("records")).is_err() {
        tokio::task::yield_now().await;
    }

    let second = keeping(&place, "", PERSIST).await;
    until(second.mesh(), |instances| instances.len() == 1).await;
    assert_eq!(end(second.mesh()).await, Some(ErrorKind::IdentityMismatch));
    register(&place, &second, "/b", "two", b.address).await;
    assert_eq!(end(second.mesh()).await, None);
    assert_eq!((a.backend.asked(), b.backend.asked()), (0, 1));
}

#[tokio::test]
async fn what_the_service_says_holds_beside_it() {
    let place = Place::new();
    let (a, b) = (Workload::named("/a", &place).await, Workload::named("/b", &place).await);
    let mismatch = Some(ErrorKind::IdentityMismatch);
    // What the service says, who registers, who is there.
    for (service, registered, there, expected) in [
        ("/a", "/a", &a, None),
        ("/a", "/a", &b, mismatch),
        ("/a", "/b", &a, mismatch),
        ("/a", "/b", &b, mismatch),
    ] {
        let identity = format!("identity = \"spiffe://corp.example{service}\"");
        let proxy = calling(&place, &identity).await;
        register(&place, &proxy, registered, "one", there.address).await;
        assert_eq!(end(proxy.mesh()).await, expected, "{service} {registered}");
        say(&place, &proxy, registered, "DELETE", "one", "").await;
        proxy.stop().await;
    }
    assert_eq!((a.backend.asked(), b.backend.asked()), (1, 0));
}

#[tokio::test]
async fn a_file_of_instances_names_who_each_must_be() {
    let place = Place::new();
    let a = Workload::named("/a", &place).await;
    let mismatch = Some(ErrorKind::IdentityMismatch);
    for (identity, expected, asked) in [
        ("identity = \"spiffe://corp.example/a\"", None, 1),
        ("identity = \"spiffe://corp.example/b\"", mismatch, 1),
        ("identity = \"spiffe://unknown.example/a\"", mismatch, 1),
    ] {
        let text = format!("[[instance]]\naddress = \"{}\"\n{identity}\n", a.address);
        place.write("instances.toml", &text);
        let service = "discover = { file = \"instances.toml\" }";
        let proxy = place.proxy(IDENTITY, "mutual", service).await;
        until(proxy.mesh(), |instances| instances.len() == 1).await;
        assert_eq!(end(proxy.mesh()).await, expected, "{identity}");
        assert_eq!(a.backend.asked(), asked, "{identity}");
    }
}

#[tokio::test]
async fn a_check_asks_for_the_same_proof() {
    let place = Place::new();
    let (a, b) = (Workload::named("/a", &place).await, Workload::named("/b", &place).await);
    let proxy = calling(&place, "health = { path = \"/who\", fall = 1, rise = 1 }").await;
    let mesh = proxy.mesh();
    register(&place, &proxy, "/a", "one", a.address).await;
    register(&place, &proxy, "/b", "two", a.address).await;
    register(&place, &proxy, "/b", "three", b.address).await;
    let mut told = Vec::new();
    for id in ["one", "two", "three"] {
        told.push(concluded(mesh, id).await);
    }
    assert_eq!(told, ["healthy", "unhealthy", "healthy"]);
}
