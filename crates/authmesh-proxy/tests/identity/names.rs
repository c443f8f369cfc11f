//! Who calls is known, told to the service, and cannot be made up.

use authmesh::config::{Files, load};
use authmesh::identity::{HandshakeEnd, Side};
use authmesh::worker::RequestBody;
use authmesh::{ErrorKind, Mesh};
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::rustls::NamedGroup;
use tokio_rustls::rustls::version::TLS12;

use crate::backend::Backend;
use crate::caller::Caller;
use crate::place::{DOMAIN, IDENTITY, Place, address};

#[tokio::test]
async fn the_service_hears_who_calls_and_no_made_up_name() {
    let (place, backend) = (Place::new(), Backend::start().await);
    let service = format!("endpoints = [\"{}\"]", backend.address);
    let proxy = place.proxy(IDENTITY, "mutual", &service).await;
    let web = place.authority.issue("/web").unwrap();
    let made_up = "x-authmesh-identity: spiffe://corp.example/admin\r\n\
                   X_Authmesh_Identity: spiffe://corp.example/admin\r\n";
    let said = Caller::showing(Some(&web)).ask(address(&proxy).await, made_up).await;
    let said = said.unwrap();
    let names: Vec<_> = said.lines().filter(|line| line.contains("spiffe://")).collect();
    assert_eq!(names, ["x-authmesh-identity: spiffe://corp.example/web"]);
    assert!(said.contains("x-forwarded-proto: https"), "{said}");
}

#[tokio::test]
async fn no_protocol_and_no_way_in_carries_a_made_up_name() {
    let (place, backend) = (Place::new(), Backend::start().await);
    let service = format!("endpoints = [\"{}\"]", backend.address);
    let proxy = place.proxy(IDENTITY, "permissive", &service).await;
    let address = address(&proxy).await;
    for protocol in ["http1", "http2"] {
        let endpoint = format!("\"{address}\"");
        let mesh = calling_mesh(&place, protocol, &endpoint, "spiffe://corp.example/gate").await;
        let request = http::Request::get("http://login/who")
            .header("x-authmesh-identity", "spiffe://corp.example/admin")
            .header("x-authmesh-identity", "spiffe://corp.example/root");
        let answer = mesh.service("login").unwrap();
        let answer = answer.send(request.body(RequestBody::empty()).unwrap()).await.unwrap();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let said = String::from_utf8(body.to_vec()).unwrap().to_lowercase();
        let names: Vec<_> = said.lines().filter(|line| line.contains("spiffe://")).collect();
        assert_eq!(names, ["x-authmesh-identity: spiffe://corp.example/web"], "{protocol}");
    }
    let made_up = "x-authmesh-identity: spiffe://corp.example/admin\r\n";
    let nameless = Caller::showing(None).ask(address, made_up).await.unwrap();
    assert!(!nameless.contains("spiffe://"), "{nameless}");
    let mut plain = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET / HTTP/1.1\r\nhost: login\r\nconnection: close\r\n{made_up}\r\n");
    plain.write_all(request.as_bytes()).await.unwrap();
    let mut said = String::new();
    plain.read_to_string(&mut said).await.unwrap();
    assert!(said.starts_with("HTTP/1.1 200") && !said.contains("spiffe://"), "{said}");
}

#[tokio::test]
async fn an_old_version_is_spoken_only_where_it_is_asked_for() {
    let (place, backend) = (Place::new(), Backend::start().await);
    let service = format!("endpoints = [\"{}\"]", backend.address);
    let old = Caller::speaking(&[&TLS12], Some(&place.authority.issue("/web").unwrap()));
    let proxy = place.proxy(IDENTITY, "mutual", &service).await;
    assert!(old.ask(address(&proxy).await, "").await.is_err());
    let asked = "mutual\", min_version = \"1.2";
    let proxy = place.proxy(IDENTITY, asked, &service).await;
    let said = old.ask(address(&proxy).await, "").await.unwrap();
    assert!(said.contains("x-authmesh-identity: spiffe://corp.example/web"), "{said}");
    let nobody = Caller::speaking(&[&TLS12], None);
    assert!(nobody.ask(address(&proxy).await, "").await.is_err(), "it asks for proof all the same");
}

#[tokio::test]
async fn access_rules_hold_against_the_name_that_was_proved() {
    let (place, backend) = (Place::new(), Backend::start().await);
    let service = format!(
        "endpoints = [\"{}\"]\n[[policy]]\nname = \"not-other\"\naction = \"deny\"\n\
         service = \"login\"\nfrom = [\"spiffe://corp.example/other\"]",
        backend.address
    );
    let proxy = place.proxy(IDENTITY, "mutual", &service).await;
    for (path, reached) in [("/web", 1), ("/other", 1), ("/web", 2)] {
        let caller = Caller::showing(Some(&place.authority.issue(path).unwrap()));
        let made_up = "x-authmesh-identity: spiffe://corp.example/web\r\n";
        let answer = caller.ask(address(&proxy).await, made_up).await.unwrap();
        assert_eq!(answer.contains("forbidden"), path == "/other", "{answer}");
        assert_eq!(backend.asked(), reached, "{path}");
    }
}

#[tokio::test]
async fn the_first_handshake_agrees_on_keys_that_outlast_quantum_computers() {
    let (place, backend) = (Place::new(), Backend::start().await);
    let service = format!("endpoints = [\"{}\"]", backend.address);
    let proxy = place.proxy(IDENTITY, "mutual", &service).await;
    let caller = Caller::showing(Some(&place.authority.issue("/web").unwrap()));
    let mut call = caller.call(address(&proxy).await).await.unwrap();
    assert_eq!(call.group(), NamedGroup::X25519MLKEM768);
    call.ask("").await.unwrap();
    // A session that is taken up again would not be verified again.
    let again = caller.call(address(&proxy).await).await.unwrap();
    assert!(again.is_full_handshake());
}

#[tokio::test]
async fn a_permissive_listener_takes_both_and_names_only_who_proves_it() {
    let (place, backend) = (Place::new(), Backend::start().await);
    let service = format!("endpoints = [\"{}\"]", backend.address);
    let proxy = place.proxy(IDENTITY, "permissive", &service).await;
    let address = address(&proxy).await;
    let web = place.authority.issue("/web").unwrap();
    let named = Caller::showing(Some(&web)).ask(address, "").await.unwrap();
    assert!(named.contains("x-authmesh-identity: spiffe://corp.example/web"), "{named}");
    let nameless = Caller::showing(None).ask(address, "").await.unwrap();
    assert!(!nameless.contains("x-authmesh-identity"), "{nameless}");

    let mut plain = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = "GET / HTTP/1.1\r\nhost: login\r\nconnection: close\r\n\r\n";
    plain.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    plain.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("x-forwarded-proto: http\r\n"));
    assert!(!answer.contains("x-authmesh-identity"), "{answer}");
    let counted = |end| proxy.mesh().identity().counted(Side::Inbound, end);
    assert_eq!((counted(HandshakeEnd::Done), counted(HandshakeEnd::Plaintext)), (2, 1));
}

/// A mesh that calls the proxies at `endpoints`, which must be `id`.
pub(crate) async fn calling_mesh(place: &Place, protocol: &str, endpoints: &str, id: &str) -> Mesh {
    place.authority.issue("/web").unwrap().write(place.path(), "web").unwrap();
    place.write(
        "web.toml",
        &format!(
            "version = 1\n[identity]\ntrust_domain = \"{DOMAIN}\"\ncert = \"web.pem\"\n\
             key = \"web.key\"\nbundle = \"bundle.pem\"\n[service.login]\n\
             endpoints = [{endpoints}]\nidentity = \"{id}\"\nprotocol = \"{protocol}\"\n\
             balance = \"round_robin\"\nretry = {{ attempts = 3 }}\n"
        ),
    );
    let loaded = load(place.file("web.toml"), Files::Look).unwrap();
    let mesh = Mesh::builder(loaded.config).lanes(1).build().await.unwrap();
    let unknown = mesh.ready(std::time::Duration::from_secs(20)).await;
    assert!(unknown.is_empty(), "{unknown:?}");
    mesh
}

pub(crate) async fn ask(mesh: &Mesh) -> Result<String, authmesh::Error> {
    let request = http::Request::get("http://login/who").body(RequestBody::empty()).unwrap();
    let answer = mesh.service("login").unwrap().send(request).await?;
    let body = answer.into_body().collect().await?.to_bytes();
    Ok(String::from_utf8(body.to_vec()).unwrap().to_lowercase())
}

#[tokio::test]
async fn one_mesh_calls_another_and_both_are_named_over_each_protocol() {
    let (place, backend) = (Place::new(), Backend::start().await);
    let service = format!("endpoints = [\"{}\"]", backend.address);
    let proxy = place.proxy(IDENTITY, "mutual", &service).await;
    let endpoint = format!("\"{}\"", address(&proxy).await);
    for protocol in ["http1", "http2"] {
        let mesh = calling_mesh(&place, protocol, &endpoint, "spiffe://corp.example/gate").await;
        for _ in 0..3 {
            let said = ask(&mesh).await.unwrap();
            assert!(said.contains("x-authmesh-identity: spiffe://corp.example/web"), "{said}");
        }
        let done = mesh.identity().counted(Side::Outbound, HandshakeEnd::Done);
        assert_eq!(done, 1, "the connection is kept: {protocol}");
    }
}

#[tokio::test]
async fn who_is_somebody_else_gets_nothing_and_the_right_instance_answers() {
    let (right, wrong) = (Place::new(), Place::new());
    let (backend, spy) = (Backend::start().await, Backend::start().await);
    let service = format!("endpoints = [\"{}\"]", backend.address);
    let good = right.proxy(IDENTITY, "mutual", &service).await;
    // Of the same trust domain and with a lawful certificate, but another workload.
    right.authority.issue("/other").unwrap().write(wrong.path(), "mesh").unwrap();
    wrong.write("bundle.pem", &right.authority.bundle);
    let service = format!("endpoints = [\"{}\"]", spy.address);
    let bad = wrong.proxy(IDENTITY, "mutual", &service).await;
    let (good, bad) = (address(&good).await, address(&bad).await);

    let id = "spiffe://corp.example/gate";
    let alone = calling_mesh(&right, "http1", &format!("\"{bad}\""), id).await;
    let error = ask(&alone).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::IdentityMismatch);
    let counted = |end| alone.identity().counted(Side::Outbound, end);
    assert!(counted(HandshakeEnd::IdentityMismatch) > 0);
    assert_eq!(counted(HandshakeEnd::Done), 0);

    let both = calling_mesh(&right, "http1", &format!("\"{bad}\", \"{good}\""), id).await;
    for _ in 0..4 {
        ask(&both).await.unwrap();
    }
    assert_eq!((backend.asked(), spy.asked()), (4, 0));
}
