//! Every kind of listener under load, in both protocols: no request is lost.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use authmesh_logic::discovery::Address;
use authmesh_proxy::Proxy;
use hyper::client::conn::{http1, http2 as h2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::backend::{Backend, read_head};
use crate::client::{AnyBody, request, whole};
use crate::proxy::{read, text, until};

/// Requests over each kind of listener in each protocol.
const REQUESTS: usize = 2_000;
/// How many of them are in flight.
const AT_ONCE: usize = 16;

#[tokio::test]
async fn thousands_of_requests_over_every_kind_of_listener_are_all_answered() {
    let backend = Backend::serving(async |mut stream| {
        while read_head(&mut stream).await.is_some() {
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\ntoken";
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let certificate = identify(folder.path());
    let path = folder.path().join("local.sock");
    let more = format!(
        "[[listener]]\nname = \"secure\"\naddress = \"127.0.0.1:0\"\nforward_to = \"token\"\n\
         tls = {{ mode = \"server\" }}\n\
         [[listener]]\nname = \"local\"\naddress = \"unix:{}\"\nforward_to = \"token\"\n\
         [identity]\ncert = \"cert.pem\"\nkey = \"key.pem\"\n",
        path.display()
    );
    let proxy = Proxy::start(read(&folder, &text(&backend.address, &more)), 2).await.unwrap();
    let idle = until(|| proxy.load().tasks, |tasks| *tasks == 6).await;
    let addresses = proxy.addresses().await;
    let (web, secure) = (tcp(&addresses["web"]), tcp(&addresses["secure"]));
    for http2 in [false, true] {
        for _ in 0..2 {
            ask(TcpStream::connect(&web).await.unwrap(), http2).await;
            ask(UnixStream::connect(&path).await.unwrap(), http2).await;
            ask(encrypted(&secure, &certificate, http2).await, http2).await;
        }
    }
    until(|| proxy.load().connections, |open| *open == 0).await;
    let service = proxy.mesh().metrics().services.remove(0);
    let answered: u64 = service.operations.iter().map(|operation| operation.answered).sum();
    assert_eq!(answered, 6 * REQUESTS as u64);
    // A kept connection to the instance has a task if HTTP/2 requests went over it.
    let most = idle + usize::try_from(service.connections).unwrap();
    until(|| proxy.load().tasks, |tasks| (idle..=most).contains(tasks)).await;
    assert_eq!(proxy.stop().await.cut_off, 0);
}

#[tokio::test]
async fn an_encrypted_connection_that_waits_is_ended_as_one_and_not_cut_off() {
    let backend = Backend::serving(async |mut stream| {
        while read_head(&mut stream).await.is_some() {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        }
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let certificate = identify(folder.path());
    let more = "[[listener]]\nname = \"secure\"\naddress = \"127.0.0.1:0\"\nforward_to = \"token\"\n\
                tls = { mode = \"server\" }\n\
                [identity]\ncert = \"cert.pem\"\nkey = \"key.pem\"\n";
    let proxy = Proxy::start(read(&folder, &text(&backend.address, more)), 1).await.unwrap();
    let secure = tcp(&proxy.addresses().await["secure"]);
    let mut clients = Vec::new();
    for _ in 0..2 {
        let mut client = encrypted(&secure, &certificate, false).await;
        client.write_all(b"GET / HTTP/1.1\r\nhost: token\r\n\r\n").await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await.unwrap());
        }
        clients.push(client);
    }
    let [mut leaving, mut staying] = <[_; 2]>::try_from(clients).ok().unwrap();
    leaving.shutdown().await.unwrap();
    // An end that is not announced is an error here.
    assert_eq!(leaving.read_to_end(&mut Vec::new()).await.unwrap(), 0);
    let (read, stopped) =
        tokio::join!(async { staying.read_to_end(&mut Vec::new()).await.unwrap() }, proxy.stop());
    assert_eq!((read, stopped.cut_off), (0, 0));
}

/// Sends half the requests on a connection: one after the other in HTTP/1.1, at once in HTTP/2.
async fn ask<S>(stream: S, http2: bool)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let stream = TokioIo::new(stream);
    let half = REQUESTS / 2;
    if !http2 {
        let (mut sender, connection) = http1::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        for _ in 0..half {
            sender.ready().await.unwrap();
            let answer = sender.send_request(named()).await.unwrap();
            assert_eq!(whole(answer).await.unwrap(), "token");
        }
        return;
    }
    let (sender, connection) = h2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    let mut streams = JoinSet::new();
    for _ in 0..AT_ONCE {
        let mut sender = sender.clone();
        streams.spawn(async move {
            for _ in 0..half / AT_ONCE {
                let answer = sender.send_request(request("/")).await.unwrap();
                assert_eq!(whole(answer).await.unwrap(), "token");
            }
            half / AT_ONCE
        });
    }
    let mut sender = sender;
    let mut asked = streams.join_all().await.into_iter().sum::<usize>();
    while asked < half {
        let answer = sender.send_request(request("/")).await.unwrap();
        assert_eq!(whole(answer).await.unwrap(), "token");
        asked += 1;
    }
}

/// A request in the form of HTTP/1.1.
fn named() -> http::Request<AnyBody> {
    let mut request = request("/");
    *request.uri_mut() = "/".parse().unwrap();
    request.headers_mut().insert(http::header::HOST, http::HeaderValue::from_static("token"));
    request
}

/// Writes a certificate for `localhost` and its key; the certificate.
fn identify(folder: &Path) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
    let key = folder.join("key.pem");
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    std::fs::set_permissions(key, std::fs::Permissions::from_mode(0o600)).unwrap();
    made.cert.der().clone()
}

async fn encrypted(
    address: &str,
    certificate: &CertificateDer<'static>,
    http2: bool,
) -> tokio_rustls::client::TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![if http2 { b"h2".to_vec() } else { b"http/1.1".to_vec() }];
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
}

fn tcp(address: &Address) -> String {
    match address {
        Address::Tcp(address) => address.to_string(),
        Address::Unix(_) => panic!("listens on TCP"),
    }
}
