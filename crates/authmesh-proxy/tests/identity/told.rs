//! What operators and machines are told of certificates and handshakes.

use std::net::SocketAddr;
use std::time::Duration;

use authmesh::identity::{HandshakeEnd, SvidFault};
use authmesh_logic::discovery::Address;
use authmesh_proxy::Proxy;
use authmesh_testkit::certificates::Authority;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::backend::Backend;
use crate::caller::Caller;
use crate::place::{IDENTITY, Place, address, counted};

/// What the door for machines answers.
async fn get(proxy: &Proxy, path: &str) -> String {
    let door: SocketAddr = match proxy.doors().remove("metrics") {
        Some(Address::Tcp(address)) => address,
        other => panic!("{other:?}"),
    };
    let mut stream = TcpStream::connect(door).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn with_door(identity: &str) -> String {
    format!("[metrics]\naddress = \"127.0.0.1:0\"\n{identity}")
}

#[tokio::test]
async fn handshakes_are_counted_by_how_they_ended() {
    let (place, backend) = (Place::new(), Backend::start().await);
    let service = format!("endpoints = [\"{}\"]", backend.address);
    let proxy = place.proxy(&with_door(IDENTITY), "mutual", &service).await;
    let address = address(&proxy).await;
    let web = Caller::showing(Some(&place.authority.issue("/web").unwrap()));
    web.ask(address, "").await.unwrap();
    web.ask(address, "").await.unwrap();
    let forged = Authority::of("corp.example").unwrap().issue("/web").unwrap();
    for caller in [None, Some(&forged)] {
        assert!(Caller::showing(caller).ask(address, "").await.is_err());
    }
    counted(&proxy, HandshakeEnd::NoCertificate, 1).await;
    counted(&proxy, HandshakeEnd::Refused(SvidFault::UnknownAuthority), 1).await;
    let told = get(&proxy, "/metrics").await;
    for line in [
        "authmesh_tls_handshakes_total{kind=\"inbound\",result=\"ok\"} 2",
        "authmesh_tls_handshakes_total{kind=\"inbound\",result=\"no_certificate\"} 1",
        "authmesh_tls_handshakes_total{kind=\"inbound\",result=\"unknown_authority\"} 1",
        "authmesh_tls_handshakes_total{kind=\"outbound\",result=\"ok\"} 0",
    ] {
        assert!(told.lines().any(|told| told == line), "{line}\n{told}");
    }
    for kind in ["own", "bundle"] {
        let line = format!("authmesh_certificate_not_after_seconds{{kind=\"{kind}\"}} ");
        assert!(told.contains(&line), "{line}\n{told}");
    }
}

#[tokio::test]
async fn the_age_of_every_certificate_is_told_and_one_that_has_ended_is_missed() {
    let (place, backend) = (Place::new(), Backend::start().await);
    let partner = Authority::of("partner.example").unwrap();
    place.write("partner.pem", &partner.bundle);
    let lists = place.authority.revoke(&[1], Duration::from_secs(3_600)).unwrap();
    place.write("crl.pem", &lists);
    let service = format!("endpoints = [\"{}\"]", backend.address);
    let identity = format!(
        "{IDENTITY}crl = {{ file = \"crl.pem\" }}\n\
         federation.other = {{ trust_domain = \"partner.example\", bundle = \"partner.pem\" }}\n"
    );
    let proxy = place.proxy(&with_door(&identity), "mutual", &service).await;
    let _ = address(&proxy).await;
    let told = get(&proxy, "/readyz").await;
    assert!(told.starts_with("HTTP/1.1 200"), "{told}");
    for kind in ["own", "bundle", "federation", "crl"] {
        assert!(told.contains(&format!("\"kind\":\"{kind}\"")), "{kind}\n{told}");
    }
    assert_eq!(told.matches("\"age_s\":").count(), 4, "{told}");

    let moment = rcgen::date_time_ymd(2020, 1, 1);
    let ended = place.authority.issue_as("/gate", |params| {
        (params.not_before, params.not_after) = (moment, moment + Duration::from_secs(9));
    });
    ended.unwrap().write(place.path(), "mesh").unwrap();
    proxy.mesh().identity().renew().unwrap();
    let told = get(&proxy, "/readyz").await;
    assert!(told.starts_with("HTTP/1.1 503"), "{told}");
    assert!(told.contains("\"step\":\"identity\""), "{told}");
    assert!(told.contains("the mesh's own certificate has ended"), "{told}");
}
