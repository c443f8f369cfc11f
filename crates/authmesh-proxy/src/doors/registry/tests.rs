//! The door over real sockets.

use std::sync::Arc;

use arc_swap::ArcSwap;
use authmesh::discovery::{DEFAULT_TTL, Instance, Registrant, Registrants, Registry};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::RegistryDoor;
use crate::doors::accept::{DoorTls, serve};
use crate::doors::socket::{DoorSocket, Reach, own_user};
use authmesh_logic::discovery::Address;

/// An open door.
struct Open {
    registry: Registry,
    address: Address,
    closing: watch::Sender<bool>,
    task: JoinHandle<()>,
    registrants: Arc<ArcSwap<Registrants>>,
}

/// One client's connection.
struct Client(SendRequest<Full<Bytes>>);

impl Open {
    fn at(address: &Address, registrants: Registrants) -> Self {
        let registry = Registry::embedded();
        let socket = DoorSocket::open(address, Reach::Owner).unwrap();
        let (closing, is_closing) = watch::channel(false);
        let registrants = Arc::new(ArcSwap::from_pointee(registrants));
        let door = RegistryDoor {
            registry: registry.clone(),
            registrants: Arc::clone(&registrants),
            own_user: own_user().unwrap(),
            closing: is_closing.clone(),
        };
        let file = socket.file;
        let serving = serve(socket.listener, DoorTls::default(), Arc::new(door), is_closing);
        let task = tokio::spawn(async move {
            serving.await;
            drop(file);
        });
        Self { registry, address: socket.address, closing, task, registrants }
    }

    async fn client(&self) -> Client {
        let sender = match &self.address {
            Address::Tcp(address) => {
                let stream = TcpStream::connect(address).await.unwrap();
                let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
                tokio::spawn(connection);
                sender
            }
            Address::Unix(path) => {
                let stream = UnixStream::connect(&**path).await.unwrap();
                let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
                tokio::spawn(connection);
                sender
            }
        };
        Client(sender)
    }
}

fn on_loopback() -> Open {
    Open::at(&"127.0.0.1:0".parse().unwrap(), Registrants::Anyone)
}

impl Client {
    async fn send(&mut self, request: Request<Full<Bytes>>) -> Response<Incoming> {
        self.0.ready().await.unwrap();
        self.0.send_request(request).await.unwrap()
    }

    /// Sends, and gives status and body; an empty body is null.
    async fn ask(&mut self, method: Method, path: &str, body: &str) -> (StatusCode, Value) {
        let request = request(method, path).body(Full::from(body.to_owned())).unwrap();
        let answer = self.send(request).await;
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }
}

fn request(method: Method, path: &str) -> http::request::Builder {
    Request::builder().method(method).uri(path).header(header::HOST, "localhost")
}

const FACTS: &str = r#"{"addresses":["10.0.0.7:8443"],"zone":"a","weight":0.5,"version":"2.4",
    "metadata":{"build":"41c2"},"ttl_s":10,"incarnation":7}"#;
const TOKEN_1: &str = "/v1/registry/token/token-1";

#[tokio::test]
async fn an_instance_registers_lives_is_listed_and_leaves() {
    let open = on_loopback();
    let mut client = open.client().await;
    let (status, granted) = client.ask(Method::PUT, TOKEN_1, FACTS).await;
    assert_eq!((status, &granted["lease_s"]), (StatusCode::OK, &json!(10)));

    let (status, view) = client.ask(Method::GET, "/v1/registry/token", "").await;
    let expected = json!({
        "service": "token",
        "revision": granted["revision"],
        "instances": [{
            "id": "token-1",
            "incarnation": 7,
            "addresses": ["10.0.0.7:8443"],
            "zone": "a",
            "weight": 0.5,
            "version": "2.4",
            "metadata": { "build": "41c2" },
            "administration": "enabled",
            "lease": "held",
        }],
    });
    assert_eq!((status, view), (StatusCode::OK, expected));

    let beat = client.ask(Method::POST, &format!("{TOKEN_1}/heartbeat"), "").await;
    assert_eq!(beat, (StatusCode::OK, granted));
    let (status, _) = client.ask(Method::DELETE, TOKEN_1, "").await;
    assert_eq!((status, open.registry.metrics().instances), (StatusCode::OK, 0));
    for (method, path) in
        [(Method::DELETE, TOKEN_1.to_owned()), (Method::POST, format!("{TOKEN_1}/heartbeat"))]
    {
        let (status, error) = client.ask(method, &path, "").await;
        assert_eq!((status, &error["error"]), (StatusCode::NOT_FOUND, &json!("not_found")));
    }
}

#[tokio::test]
async fn what_is_wrong_is_refused_by_name_and_changes_nothing() {
    let open = on_loopback();
    let mut client = open.client().await;
    client.ask(Method::PUT, "/v1/registry/token/old", FACTS).await;
    let before = open.registry.metrics().revision;
    let ttl = r#"{"addresses":["10.0.0.7:1"],"ttl_s":0}"#;
    let earlier = r#"{"addresses":["10.0.0.7:1"],"incarnation":6}"#;
    let long = format!(r#"{{"zone":"{}"}}"#, "x".repeat(70_000));
    let table = [
        (Method::PUT, TOKEN_1, "{\"address\":1}", 400, "unknown key `address`"),
        (Method::PUT, TOKEN_1, ttl, 400, "`ttl_s`: the time to live must be from 1 s to 3600 s"),
        (Method::PUT, "/v1/registry/token/old", earlier, 409, "`incarnation`: incarnation 7"),
        (Method::PUT, TOKEN_1, long.as_str(), 413, "65536 bytes"),
        (Method::PUT, "/v1/registry/Token/a", FACTS, 400, "a service has"),
        (Method::PUT, "/v1/registry/token/a%2Fb", FACTS, 400, "an instance has"),
        (Method::GET, "/v1/registry/token?watch=x", "", 400, "watch="),
        (Method::GET, "/v1/registry/token?wach=1", "", 400, "watch="),
        (Method::GET, "/v1/registry", "", 404, "/v1/registry/SERVICE"),
        (Method::GET, "/v1/status", "", 404, "/v1/registry/SERVICE"),
        (Method::POST, "/v1/registry/token/old/drain", "", 404, "/v1/registry/SERVICE"),
    ];
    for (method, path, body, status, message) in table {
        let mut client = open.client().await;
        let (found, error) = client.ask(method, path, body).await;
        assert_eq!(found.as_u16(), status, "{path} {error}");
        assert!(error["message"].as_str().unwrap().contains(message), "{path} {error}");
    }
    for (method, path, allowed) in [
        (Method::POST, TOKEN_1, "PUT, DELETE"),
        (Method::DELETE, "/v1/registry/token", "GET, HEAD"),
        (Method::GET, "/v1/registry/token/token-1/heartbeat", "POST"),
    ] {
        let answer = client.send(request(method, path).body(Full::default()).unwrap()).await;
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(answer.headers()[header::ALLOW], allowed);
        answer.into_body().collect().await.unwrap();
    }
    assert_eq!(open.registry.metrics().revision, before);
}

#[tokio::test]
async fn web_pages_are_no_workloads() {
    let open = on_loopback();
    let mut client = open.client().await;
    let request = |host: &str, origin: Option<&str>| {
        let mut request = Request::put(TOKEN_1).header(header::HOST, host);
        if let Some(origin) = origin {
            request = request.header(header::ORIGIN, origin);
        }
        request.body(Full::from(FACTS)).unwrap()
    };
    for request in [request("evil.example", None), request("localhost", Some("http://evil"))] {
        let answer = client.send(request).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
        answer.into_body().collect().await.unwrap();
    }
    assert_eq!(open.registry.metrics().instances, 0);
    let answer = client.send(request("127.0.0.1:9", None)).await;
    assert_eq!(answer.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_long_poll_is_answered_by_the_change_or_by_the_end() {
    let open = on_loopback();
    let (mut client, mut other) = (open.client().await, open.client().await);
    let revision = open.registry.list(&"token".parse().unwrap()).revision;
    let path = format!("/v1/registry/token?watch={revision}");
    let (watched, put) = tokio::join!(client.ask(Method::GET, &path, ""), async {
        while open.registry.metrics().watchers == 0 {
            tokio::task::yield_now().await;
        }
        other.ask(Method::PUT, TOKEN_1, FACTS).await
    });
    assert_eq!((watched.0, &watched.1["revision"]), (StatusCode::OK, &put.1["revision"]));
    assert_eq!(watched.1["instances"][0]["id"], "token-1");

    let (at_once, _) = client.ask(Method::GET, &path, "").await;
    assert_eq!(at_once, StatusCode::OK, "the revision has passed");

    let path = format!("/v1/registry/token?watch={}", put.1["revision"]);
    let (watched, ()) = tokio::join!(client.ask(Method::GET, &path, ""), async {
        while open.registry.metrics().watchers == 0 {
            tokio::task::yield_now().await;
        }
        open.closing.send_replace(true);
    });
    assert_eq!(watched, (StatusCode::NOT_MODIFIED, Value::Null));
    open.task.await.unwrap();
    assert_eq!(open.registry.metrics().watchers, 0);
}

#[tokio::test]
async fn events_tell_each_view_until_the_door_closes() {
    let folder = tempfile::tempdir().unwrap();
    let path = format!("unix:{}", folder.path().join("registry.sock").display());
    let open = Open::at(&path.parse().unwrap(), Registrants::Owner);
    let mut client = open.client().await;
    let service = "token".parse().unwrap();
    let revision = open.registry.list(&service).revision;
    let request = request(Method::GET, "/v1/registry/token?watch=0")
        .header(header::ACCEPT, "text/event-stream")
        .header("last-event-id", revision)
        .body(Full::default())
        .unwrap();
    let answer = client.send(request).await;
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/event-stream");
    let mut body = answer.into_body();

    for port in [1, 2] {
        let instance = Instance::at(Address::Tcp(([127, 0, 0, 1], port).into()));
        let ttl = std::time::Duration::from_secs(30);
        let granted = open.registry.record(&service, instance, ttl).unwrap();
        let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
        let text = String::from_utf8(frame.to_vec()).unwrap();
        let head = format!("id: {}\nevent: view\ndata: ", granted.revision);
        let data = text.strip_prefix(&head).expect(&text).strip_suffix("\n\n").unwrap();
        let view: Value = serde_json::from_str(data).unwrap();
        assert_eq!(view["instances"].as_array().unwrap().len(), usize::from(port));
    }
    open.closing.send_replace(true);
    assert!(body.frame().await.is_none());
    open.task.await.unwrap();
}

#[tokio::test]
async fn who_may_not_look_any_more_is_told_nothing_more() {
    let service = "token".parse().unwrap();
    for accept in ["text/event-stream", "application/json"] {
        let open = on_loopback();
        let mut client = open.client().await;
        let change = |port| {
            let instance = Instance::at(Address::Tcp(([127, 0, 0, 1], port).into()));
            open.registry.record(&service, instance, DEFAULT_TTL).unwrap().revision
        };
        let path = format!("/v1/registry/token?watch={}", change(1));
        let watching = request(Method::GET, &path).header(header::ACCEPT, accept);
        let asked = tokio::spawn(async move {
            let answer = client.send(watching.body(Full::default()).unwrap()).await;
            let frame = answer.into_body().frame().await;
            frame.map(|frame| frame.unwrap().into_data().unwrap()).unwrap_or_default()
        });
        while open.registry.metrics().watchers == 0 {
            tokio::task::yield_now().await;
        }
        open.registrants.store(Arc::new(Registrants::Owner));
        change(2);
        let told = String::from_utf8(asked.await.unwrap().to_vec()).unwrap();
        assert!(!told.contains("127.0.0.1:2"), "{accept} {told}");
    }
}

#[tokio::test]
async fn who_may_not_register_any_more_ends_no_registration() {
    let open = on_loopback();
    let Address::Tcp(address) = &open.address else { unreachable!() };
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = FACTS.len();
    let head = format!(
        "PUT {TOKEN_1} HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\nconnection: close\r\n\
         content-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100", "the body is waited for");
    open.registrants.store(Arc::new(Registrants::Owner));
    stream.write_all(FACTS.as_bytes()).await.unwrap();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.unwrap();
    assert!(rest.contains("HTTP/1.1 403"), "{rest}");
    assert!(open.registry.list(&"token".parse().unwrap()).instances.is_empty());
}

/// Asks, and gives status and reason.
async fn reason(client: &mut Client, method: Method, path: &str) -> (u16, Option<String>) {
    let answer = client.send(request(method, path).body(Full::from(FACTS)).unwrap()).await;
    let reason = answer.headers().get("x-authmesh-reason");
    let reason = reason.map(|reason| reason.to_str().unwrap().to_owned());
    let status = answer.status().as_u16();
    answer.into_body().collect().await.unwrap();
    (status, reason)
}

#[tokio::test]
async fn a_user_registers_the_services_it_is_named_for_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = format!("unix:{}", folder.path().join("registry.sock").display());
    let own = own_user().unwrap();
    let named = |user: u32, services: &[&str]| {
        let services = services.iter().map(|service| service.parse().unwrap()).collect();
        Registrants::Users([(user, services)].into())
    };
    let beat = format!("{TOKEN_1}/heartbeat");
    let login = "/v1/registry/login/login-1";
    let no_rule = || (403, Some("no_allow_rule".to_owned()));
    let table = [
        (named(own, &["token"]), (200, None), (200, None), no_rule()),
        (named(own, &["token", "login"]), (200, None), (200, None), (200, None)),
        (named(own, &[]), (200, None), no_rule(), no_rule()),
        (named(own + 1, &["token"]), no_rule(), no_rule(), no_rule()),
        (Registrants::Owner, (200, None), (200, None), (200, None)),
        (Registrants::Anyone, (200, None), (200, None), (200, None)),
    ];
    for (rule, look, token, other) in table {
        let open = Open::at(&path.parse().unwrap(), rule.clone());
        let mut client = open.client().await;
        let looked = reason(&mut client, Method::GET, "/v1/registry/token").await;
        assert_eq!(looked, look, "{rule:?}");
        for (method, path) in
            [(Method::PUT, TOKEN_1), (Method::POST, &beat), (Method::DELETE, TOKEN_1)]
        {
            assert_eq!(reason(&mut client, method, path).await, token, "{rule:?}");
        }
        assert_eq!(reason(&mut client, Method::PUT, login).await, other, "{rule:?}");
        open.closing.send_replace(true);
        drop(client);
        open.task.await.unwrap();
    }
}

#[tokio::test]
async fn what_one_registered_no_other_renews_replaces_or_takes_out() {
    let open = on_loopback();
    let instance = || Instance {
        id: "token-1".parse().unwrap(),
        ..Instance::at("127.0.0.1:1".parse().unwrap())
    };
    let token = "token".parse().unwrap();
    let mut client = open.client().await;
    for holder in [Registrant::User(7), Registrant::Program] {
        open.registry.record_by(&holder, &token, instance(), DEFAULT_TTL).unwrap();
        let before = open.registry.list(&token);
        let beat = format!("{TOKEN_1}/heartbeat");
        for (method, path) in
            [(Method::PUT, TOKEN_1), (Method::POST, &beat), (Method::DELETE, TOKEN_1)]
        {
            let answer = reason(&mut client, method, path).await;
            assert_eq!(answer, (403, Some("identity_mismatch".to_owned())), "{holder} {path}");
        }
        assert_eq!(open.registry.list(&token), before);
    }
}
