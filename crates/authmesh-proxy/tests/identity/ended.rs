//! What ends while a mesh runs ends what rests on it.

use std::time::Duration;

use authmesh::identity::{HandshakeEnd, Side, SvidFault};
use authmesh_proxy::Proxy;
use authmesh_testkit::certificates::Authority;

use crate::backend::Backend;
use crate::caller::Caller;
use crate::names::{ask, calling_mesh};
use crate::place::{IDENTITY, Place, address};

/// How long what ends soon still holds: long enough to be used once before.
const SOON: Duration = Duration::from_secs(3);

/// Calls until a handshake ends so.
async fn until(proxy: &Proxy, caller: &Caller, end: HandshakeEnd) {
    let address = address(proxy).await;
    while proxy.mesh().identity().counted(Side::Inbound, end) == 0 {
        let _ = caller.ask(address, "").await;
    }
    assert!(caller.ask(address, "").await.is_err(), "{end:?}");
}

#[tokio::test]
async fn a_certificate_a_root_and_a_required_list_let_nobody_in_once_they_have_ended() {
    let backend = Backend::start().await;
    let service = format!("endpoints = [\"{}\"]", backend.address);
    type Prepare = fn(&mut Place);
    let lists = "crl = { file = \"crl.pem\", mode = \"require\" }\n";
    let table: [(&str, HandshakeEnd, Prepare); 3] = [
        ("", HandshakeEnd::NoIdentity, |place| {
            place.authority.issue_for("/gate", SOON).unwrap().write(place.path(), "mesh").unwrap();
        }),
        ("", HandshakeEnd::Refused(SvidFault::Expired), |place| {
            place.authority = Authority::of_for("corp.example", SOON).unwrap();
            place.write("bundle.pem", &place.authority.bundle);
            place.authority.issue("/gate").unwrap().write(place.path(), "mesh").unwrap();
        }),
        (lists, HandshakeEnd::Refused(SvidFault::CrlExpired), |place| {
            let life = Duration::from_secs(60) + SOON;
            place.write("crl.pem", &place.authority.revoke(&[1], life).unwrap());
        }),
    ];
    for (more, end, prepare) in table {
        let mut place = Place::new();
        prepare(&mut place);
        let proxy = place.proxy(&format!("{IDENTITY}{more}"), "mutual", &service).await;
        let caller = Caller::showing(Some(&place.authority.issue("/web").unwrap()));
        caller.ask(address(&proxy).await, "").await.unwrap();
        until(&proxy, &caller, end).await;
        let status = proxy.mesh().identity().status().unwrap();
        assert!(status.unusable.is_some(), "{end:?}");
    }
}

#[tokio::test]
async fn a_mesh_whose_certificate_has_ended_calls_nobody_until_it_has_another() {
    let (place, backend) = (Place::new(), Backend::start().await);
    let service = format!("endpoints = [\"{}\"]", backend.address);
    let proxy = place.proxy(IDENTITY, "mutual", &service).await;
    let endpoint = format!("\"{}\"", address(&proxy).await);
    let mesh = calling_mesh(&place, "http1", &endpoint, "spiffe://corp.example/gate").await;
    let short = place.authority.issue_for("/web", SOON).unwrap();
    short.write(place.path(), "web").unwrap();
    mesh.identity().renew().unwrap();
    ask(&mesh).await.unwrap();
    let counted = |end| mesh.identity().counted(Side::Outbound, end);
    while counted(HandshakeEnd::NoIdentity) == 0 {
        let _ = ask(&mesh).await;
    }
    let before = backend.asked();
    ask(&mesh).await.unwrap_err();
    assert_eq!(backend.asked(), before);
    place.authority.issue("/web").unwrap().write(place.path(), "web").unwrap();
    mesh.identity().renew().unwrap();
    ask(&mesh).await.unwrap();
}

#[tokio::test]
async fn a_connection_ends_with_the_certificate_that_it_was_shown() {
    let (place, backend) = (Place::new(), Backend::start().await);
    let service = format!("endpoints = [\"{}\"]", backend.address);
    place.authority.issue_for("/gate", SOON).unwrap().write(place.path(), "mesh").unwrap();
    let proxy = place.proxy(IDENTITY, "mutual", &service).await;
    let caller = Caller::showing(Some(&place.authority.issue("/web").unwrap()));
    let mut old = caller.call(address(&proxy).await).await.unwrap();
    old.ask("").await.unwrap();
    place.authority.issue("/gate").unwrap().write(place.path(), "mesh").unwrap();
    proxy.mesh().identity().renew().unwrap();
    let mut new = caller.call(address(&proxy).await).await.unwrap();
    old.ask("").await.unwrap();
    old.closed().await;
    new.ask("").await.unwrap();
}

#[tokio::test]
async fn a_kept_connection_is_made_anew_once_others_are_believed() {
    let (place, backend) = (Place::new(), Backend::start().await);
    let service = format!("endpoints = [\"{}\"]", backend.address);
    let proxy = place.proxy(IDENTITY, "mutual", &service).await;
    for protocol in ["http1", "http2"] {
        let endpoint = format!("\"{}\"", address(&proxy).await);
        let mesh = calling_mesh(&place, protocol, &endpoint, "spiffe://corp.example/gate").await;
        let done = || mesh.identity().counted(Side::Outbound, HandshakeEnd::Done);
        for _ in 0..3 {
            ask(&mesh).await.unwrap();
        }
        assert_eq!(done(), 1, "{protocol}");
        let more = Authority::of("corp.example").unwrap().bundle;
        place.write("bundle.pem", &(place.authority.bundle.clone() + &more));
        mesh.identity().renew().unwrap();
        ask(&mesh).await.unwrap();
        assert_eq!(done(), 2, "{protocol}");
        place.write("bundle.pem", &place.authority.bundle);
    }
}
