//! The registry on TCP: who proves what may register what, and nobody else anything.

use std::net::SocketAddr;
use std::time::Duration;

use authmesh::identity::{HandshakeEnd, Side, SvidFault};
use authmesh_logic::discovery::Address;
use authmesh_proxy::Proxy;
use authmesh_testkit::certificates::{Authority, Issued};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::caller::{Call, Caller};
use crate::place::{IDENTITY, Place, counted};

/// A registry that `token` and `twin` may register `token` at, and `web` may look into.
const RULES: &str = "tls = { mode = \"mutual\" }\n\
     identities = { \"spiffe://corp.example/token\" = \"token\", \
     \"spiffe://corp.example/twin\" = [\"token\"], \"spiffe://corp.example/web\" = [] }\n";

pub(crate) const FACTS: &str = r#"{"addresses":["127.0.0.1:9"],"ttl_s":60}"#;
const TOKEN_1: &str = "/v1/registry/token/token-1";
const BEAT: &str = "/v1/registry/token/token-1/heartbeat";

/// `[identity]` and a registry at this address with these further keys.
pub(crate) fn with_registry(address: &str, keys: &str) -> String {
    format!("{IDENTITY}[registry]\nkind = \"embedded\"\naddress = \"{address}\"\n{keys}")
}

/// A proxy that keeps a registry with these further keys.
async fn proxy(place: &Place, keys: &str) -> Proxy {
    let identity = with_registry("127.0.0.1:0", keys);
    place.proxy(&identity, "mutual", "discover = { registry = true }").await
}

pub(crate) fn door(proxy: &Proxy) -> SocketAddr {
    match proxy.doors().remove("registry") {
        Some(Address::Tcp(address)) => address,
        other => panic!("{other:?}"),
    }
}

async fn call(place: &Place, name: &str, proxy: &Proxy) -> Call {
    let issued = place.authority.issue(name).unwrap();
    Caller::showing(Some(&issued)).call(door(proxy)).await.unwrap()
}

/// Status and reason of the answer to one request.
async fn said(call: &mut Call, method: &str, path: &str) -> (u16, Option<String>) {
    let body = if method == "PUT" { FACTS } else { "" };
    let (head, _) = call.send(method, path, body).await.unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let reason = head.split("x-authmesh-reason: ").nth(1);
    (status, reason.map(|rest| rest.split("\r\n").next().unwrap().to_owned()))
}

fn refused(reason: &str) -> (u16, Option<String>) {
    (403, Some(reason.to_owned()))
}

#[tokio::test]
async fn a_workload_registers_what_it_is_named_for_and_no_more() {
    let place = Place::new();
    let proxy = proxy(&place, RULES).await;
    let ok = || (200, None);
    let no_rule = || refused("no_allow_rule");
    for (name, look, change, other) in [
        ("/token", ok(), ok(), no_rule()),
        ("/twin", ok(), ok(), no_rule()),
        ("/web", ok(), no_rule(), no_rule()),
        ("/token/below", no_rule(), no_rule(), no_rule()),
        ("/stranger", no_rule(), no_rule(), no_rule()),
    ] {
        let mut call = call(&place, name, &proxy).await;
        assert_eq!(said(&mut call, "GET", "/v1/registry/token").await, look, "{name}");
        for (method, path) in [("PUT", TOKEN_1), ("POST", BEAT), ("DELETE", TOKEN_1)] {
            assert_eq!(said(&mut call, method, path).await, change, "{name} {method}");
        }
        assert_eq!(said(&mut call, "PUT", "/v1/registry/login/l1").await, other, "{name}");
    }
    let mut stranger = call(&place, "/stranger", &proxy).await;
    let (_, body) = stranger.send("PUT", TOKEN_1, FACTS).await.unwrap();
    assert!(body.contains("spiffe://corp.example/stranger may not look"), "{body}");
    assert!(body.contains("`identities` of `[registry]`"), "{body}");
}

#[tokio::test]
async fn what_a_workload_registered_no_other_changes_and_its_identity_is_told() {
    let place = Place::new();
    let proxy = proxy(&place, RULES).await;
    let mut token = call(&place, "/token", &proxy).await;
    let mut twin = call(&place, "/twin", &proxy).await;
    assert_eq!(said(&mut token, "PUT", TOKEN_1).await, (200, None));
    for (method, path) in [("PUT", TOKEN_1), ("POST", BEAT), ("DELETE", TOKEN_1)] {
        assert_eq!(said(&mut twin, method, path).await, refused("identity_mismatch"), "{method}");
    }
    // Not even its own certificate lets it say that it is somebody else.
    let made_up = r#"{"addresses":["127.0.0.1:9"],"identity":"spiffe://corp.example/token"}"#;
    let (head, body) = twin.send("PUT", "/v1/registry/token/twin-1", made_up).await.unwrap();
    assert!(head.contains(" 400 ") && body.contains("unknown key `identity`"), "{head}{body}");
    assert_eq!(said(&mut twin, "PUT", "/v1/registry/token/twin-1").await, (200, None));
    let (_, view) = twin.send("GET", "/v1/registry/token", "").await.unwrap();
    let told: Vec<_> = view.split("\"identity\":\"").skip(1).collect();
    assert!(told[0].starts_with("spiffe://corp.example/token\""), "{view}");
    assert!(told[1].starts_with("spiffe://corp.example/twin\""), "{view}");
    // The same workload after a restart, on another connection and with another certificate.
    let mut again = call(&place, "/token", &proxy).await;
    assert_eq!(said(&mut again, "POST", BEAT).await, (200, None));
    assert_eq!(said(&mut again, "DELETE", TOKEN_1).await, (200, None));
}

#[tokio::test]
async fn who_proves_nothing_does_not_get_to_ask() {
    let place = Place::new();
    let proxy = proxy(&place, RULES).await;
    let ended = place.authority.issue_as("/token", |params| {
        let moment = rcgen::date_time_ymd(2020, 1, 1);
        (params.not_before, params.not_after) = (moment, moment + Duration::from_secs(9));
    });
    let forged = Authority::of("corp.example").unwrap().issue("/token");
    let foreign = Authority::of("partner.example").unwrap().issue("/token");
    let refused = HandshakeEnd::Refused;
    let table: [(Option<Issued>, HandshakeEnd); 4] = [
        (None, HandshakeEnd::NoCertificate),
        (ended.ok(), refused(SvidFault::Expired)),
        (forged.ok(), refused(SvidFault::UnknownAuthority)),
        (foreign.ok(), refused(SvidFault::NoBundle)),
    ];
    for (shown, end) in table {
        let caller = Caller::showing(shown.as_ref());
        let answer = async { caller.call(door(&proxy)).await?.send("PUT", TOKEN_1, FACTS).await };
        assert!(answer.await.is_err(), "{end:?}");
        counted(&proxy, end, 1).await;
    }
    let mut plain = TcpStream::connect(door(&proxy)).await.unwrap();
    let request = format!("GET {TOKEN_1} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    plain.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // The alert may be lost in the reset that follows what was not read.
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"));
    counted(&proxy, HandshakeEnd::Plaintext, 1).await;
    assert_eq!(proxy.mesh().identity().counted(Side::Inbound, HandshakeEnd::Done), 0);
    let registry = proxy.mesh().registry().unwrap();
    assert_eq!(registry.metrics().instances, 0);
}

#[tokio::test]
async fn whoever_is_believed_may_register_where_that_is_written() {
    let place = Place::new();
    let proxy = proxy(&place, "tls = { mode = \"mutual\" }\ndefault = \"allow\"\n").await;
    let mut any = call(&place, "/any", &proxy).await;
    assert_eq!(said(&mut any, "PUT", TOKEN_1).await, (200, None));
    let nobody = Caller::showing(None).call(door(&proxy)).await;
    let answer = async { nobody?.send("PUT", TOKEN_1, FACTS).await };
    assert!(answer.await.is_err());
}

#[tokio::test]
async fn certificates_are_exchanged_while_the_door_is_open() {
    let place = Place::new();
    let proxy = proxy(&place, RULES).await;
    let mut kept = call(&place, "/token", &proxy).await;
    assert_eq!(said(&mut kept, "PUT", TOKEN_1).await, (200, None));
    let short = place.authority.issue_for("/twin", Duration::from_secs(3)).unwrap();
    let mut short = Caller::showing(Some(&short)).call(door(&proxy)).await.unwrap();
    assert_eq!(said(&mut short, "GET", "/v1/registry/token").await, (200, None));

    place.authority.issue("/gate").unwrap().write(place.path(), "mesh").unwrap();
    proxy.mesh().identity().renew().unwrap();
    let mut new = call(&place, "/token", &proxy).await;
    assert_ne!(new.shown(), kept.shown());
    assert_eq!(said(&mut kept, "POST", BEAT).await, (200, None), "it goes on as it entered");
    assert_eq!(said(&mut new, "POST", BEAT).await, (200, None));
    // What a connection was let in for ends with the certificate.
    short.closed().await;

    // Another authority is believed: nobody of the old one any more.
    let other = Authority::of("corp.example").unwrap();
    other.issue("/gate").unwrap().write(place.path(), "mesh").unwrap();
    place.write("bundle.pem", &other.bundle);
    proxy.mesh().identity().renew().unwrap();
    kept.closed().await;
    new.closed().await;
    let issued = other.issue("/token").unwrap();
    let mut token = Caller::showing(Some(&issued)).call(door(&proxy)).await.unwrap();
    assert_eq!(said(&mut token, "POST", BEAT).await, (200, None));
}

#[tokio::test]
async fn a_door_that_asks_for_certificates_from_now_on_hears_nobody_without() {
    let place = Place::new();
    let proxy = proxy(&place, "default = \"allow\"\n").await;
    let address = door(&proxy);
    let mut plain = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "PUT {TOKEN_1} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n{FACTS}",
        FACTS.len()
    );
    for (keys, status) in [("", "200"), (RULES, "403"), ("default = \"allow\"\n", "403")] {
        if !keys.is_empty() {
            let tls = if keys == RULES { "" } else { "tls = { mode = \"mutual\" }\n" };
            let keys = format!("{tls}{keys}");
            place.reload(&proxy, &with_registry("127.0.0.1:0", &keys)).await;
            assert_eq!(door(&proxy), address, "the socket stays");
        }
        plain.write_all(request.as_bytes()).await.unwrap();
        let mut answer = vec![0; 1_024];
        let length = plain.read(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{keys}: {answer}");
    }
    let mut any = call(&place, "/any", &proxy).await;
    // It is of whom nothing was proved, so nobody else takes it.
    assert_eq!(said(&mut any, "PUT", TOKEN_1).await, refused("identity_mismatch"));
    assert_eq!(said(&mut any, "PUT", "/v1/registry/token/any").await, (200, None));
}
