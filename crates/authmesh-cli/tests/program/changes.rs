//! Fifty changes of everything that can change, under a steady load in both protocols, in the clear
//! and over TLS: no request is lost, and new connections see each new certificate.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, interval};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

use crate::load::{Tally, body_of, request, serve, until_answered};
use crate::program::{Folder, accepting};

const CHANGES: usize = 50;
/// What is changed in turn.
const KINDS: usize = 4;
/// Each of the four clients asks this often: together two hundred times a second.
const PACE: Duration = Duration::from_millis(20);
/// How many requests must have been answered between two changes.
const BETWEEN: usize = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_changes_of_listeners_services_rules_and_certificates_lose_no_request() {
    let backends = [serve("token").await, serve("token").await, serve("session").await];
    let folder = Folder::with("");
    let identities: Vec<Identity> = (0..=CHANGES / KINDS + 1).map(|_| Identity::new()).collect();
    identities[0].write(&folder.path(""));
    folder.write(&text(&folder, &backends, 0));
    let (mesh, web) = folder.start_and_find("listener web");
    let secure = mesh.address("listener secure");
    let trust = trust(&identities);

    let tally = Arc::new(Tally::default());
    let clients = [
        tokio::spawn(ask_http1(web.clone(), Arc::clone(&tally))),
        tokio::spawn(ask_http2(TcpStream::connect(&web).await.unwrap(), Arc::clone(&tally))),
        tokio::spawn(ask_anew(secure.clone(), trust.clone(), Arc::clone(&tally))),
        tokio::spawn(ask_http2(encrypted(&secure, &trust, "h2").await, Arc::clone(&tally))),
    ];
    for change in 1..=CHANGES {
        until_answered(&tally, change * BETWEEN).await;
        let identity = &identities[change / KINDS];
        identity.write(&folder.path(""));
        folder.write(&text(&folder, &backends, change));
        let reload = folder.run(&["reload"]);
        assert_eq!(reload.code, 0, "change {change}: {}", reload.stderr);
        let seen = encrypted(&secure, &trust, "http/1.1").await;
        let seen = seen.get_ref().1.peer_certificates().unwrap()[0].clone();
        assert_eq!(seen, identity.certificate, "change {change}");
    }
    until_answered(&tally, (CHANGES + 1) * BETWEEN).await;
    tally.is_over.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    let answered = tally.answered.load(Ordering::Relaxed);
    println!("{answered} requests were answered through {CHANGES} changes");
    assert_eq!(*tally.failed.lock().unwrap(), [""; 0], "of {answered}");
    let status = folder.run(&["status", "-o", "json"]).json();
    assert_eq!(status["reload_failures"], 0);
    mesh.signal("-TERM");
    assert!(mesh.end().success());
}

/// What the file says after so many changes: each changes a listener, a service, an access rule or the
/// certificate, which lies beside it.
fn text(folder: &Folder, [one, two, session]: &[String; 3], change: usize) -> String {
    let turn = |kind: usize| (change + KINDS - 1 - kind) / KINDS % 2 == 1;
    let listener = match turn(0) {
        true => {
            "[[listener]]\nname = \"extra\"\naddress = \"127.0.0.1:0\"\nforward_to = \"token\"\n"
        }
        false => "",
    };
    let endpoints = if turn(1) { format!("\"{two}\"") } else { format!("\"{one}\", \"{two}\"") };
    let rule = match turn(2) {
        true => {
            "[[route]]\nname = \"introspect\"\nservice = \"token\"\npaths = [\"/introspect\"]\n"
        }
        false => "",
    };
    let text = folder.serving_text(&format!(
        "[identity]\ncert = \"cert.pem\"\nkey = \"key.pem\"\n\
         [[listener]]\nname = \"secure\"\naddress = \"127.0.0.1:0\"\nforward_to = \"token\"\n\
         tls = {{ mode = \"server\" }}\n\
         [service.token]\nendpoints = [{endpoints}]\n\
         [service.session]\nendpoints = [\"{session}\"]\nprotocol = \"http2\"\n\
         [[route]]\nname = \"session\"\nservice = \"session\"\npaths = [\"/session/{{**}}\"]\n\
         {listener}{rule}"
    ));
    // That the rule goes again is weaker.
    accepting("policy.none", &text)
}

/// A certificate that proves itself, and its key.
struct Identity {
    certificate: CertificateDer<'static>,
    cert: String,
    key: String,
}

impl Identity {
    fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (cert, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        Self { certificate: made.cert.der().clone(), cert, key }
    }

    fn write(&self, folder: &Path) {
        std::fs::write(folder.join("cert.pem"), &self.cert).unwrap();
        std::fs::write(folder.join("key.pem"), &self.key).unwrap();
        let closed = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(folder.join("key.pem"), closed).unwrap();
    }
}

fn trust(identities: &[Identity]) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for identity in identities {
        roots.add(identity.certificate.clone()).unwrap();
    }
    ClientConfig::builder_with_provider(Arc::new(crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

async fn encrypted(address: &str, trust: &ClientConfig, alpn: &str) -> TlsStream<TcpStream> {
    let mut trust = trust.clone();
    trust.alpn_protocols = vec![alpn.as_bytes().to_vec()];
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(trust)).connect(name, stream).await.unwrap()
}

const PATHS: [&str; 3] = ["/", "/introspect", "/session/one"];

/// Asks on one connection of HTTP/1.1.
async fn ask_http1(address: String, tally: Arc<Tally>) {
    let stream = TokioIo::new(TcpStream::connect(&address).await.unwrap());
    let (mut sender, connection) = http1::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let mut pace = pace();
    for path in PATHS.iter().cycle().take_while(|_| !tally.is_over()) {
        pace.tick().await;
        if let Err(error) = sender.ready().await {
            return tally.note(Err(error));
        }
        tally.note(body_of(sender.send_request(request(path)).await).await);
    }
}

/// Asks on one connection of HTTP/2.
async fn ask_http2<S>(stream: S, tally: Arc<Tally>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let stream = TokioIo::new(stream);
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    let mut pace = pace();
    for path in PATHS.iter().cycle().take_while(|_| !tally.is_over()) {
        pace.tick().await;
        tally.note(body_of(sender.send_request(request(path)).await).await);
    }
}

/// Asks over TLS, on a connection of its own for each request.
async fn ask_anew(address: String, trust: ClientConfig, tally: Arc<Tally>) {
    let mut pace = pace();
    for path in PATHS.iter().cycle().take_while(|_| !tally.is_over()) {
        pace.tick().await;
        let stream = TokioIo::new(encrypted(&address, &trust, "http/1.1").await);
        let (mut sender, connection) = http1::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        tally.note(body_of(sender.send_request(request(path)).await).await);
    }
}

fn pace() -> tokio::time::Interval {
    let mut pace = interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pace
}
