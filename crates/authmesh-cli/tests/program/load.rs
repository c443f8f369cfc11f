//! A file that changes again and again under load, and no request is lost.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};

use crate::program::Folder;

const CHANGES: usize = 20;
/// How many requests must have been answered between two changes.
const BETWEEN: usize = 200;
/// Clients of each protocol; one of HTTP/2 has as many requests in flight as it has streams.
const CLIENTS: usize = 4;
const STREAMS: usize = 8;

/// What the clients of both protocols count.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) answered: AtomicUsize,
    pub(crate) failed: Mutex<Vec<String>>,
    pub(crate) is_over: AtomicBool,
}

impl Tally {
    /// Whether nothing more is to be asked: the test is over, or has failed.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed) || !self.failed.lock().unwrap().is_empty()
    }

    pub(crate) fn note(&self, answer: Result<String, hyper::Error>) {
        match answer {
            Ok(body) if body == "token" || body == "session" => {
                self.answered.fetch_add(1, Ordering::Relaxed);
            }
            other => self.failed.lock().unwrap().push(format!("{other:?}")),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_changes_of_the_file_under_load_lose_no_request() {
    let backends =
        [serve("token").await, serve("token").await, serve("token").await, serve("session").await];
    let folder = Folder::with("");
    folder.write(&folder.serving_text(&services(&backends, 0)));
    let (mesh, web) = folder.start_and_find("listener web");

    let tally = Arc::new(Tally::default());
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(tokio::spawn(ask_by_http1(web.clone(), Arc::clone(&tally))));
        clients.push(tokio::spawn(ask_by_http2(web.clone(), Arc::clone(&tally))));
    }
    for change in 1..=CHANGES {
        until_answered(&tally, change * BETWEEN).await;
        folder.write(&folder.serving_text(&services(&backends, change)));
        mesh.signal("-HUP");
        mesh.hear_times("the file was read again", change);
        if change % 2 == 1 {
            // The listener that this change opens serves; the next change closes it.
            let extra = mesh.hear_times("listener extra on ", change.div_ceil(2));
            let tally = Tally::default();
            let stream = TcpStream::connect(extra.rsplit(' ').next().unwrap()).await.unwrap();
            let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            tally.note(body_of(sender.send_request(request("/")).await).await);
            assert_eq!(tally.answered.into_inner(), 1, "change {change}");
        }
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

/// What the file says after so many changes: other instances, another route, another breaker,
/// another window, a listener more or less.
fn services([one, two, three, session]: &[String; 4], change: usize) -> String {
    let endpoints = match change % 3 {
        0 => format!("\"{one}\", \"{two}\""),
        1 => format!("\"{two}\", \"{three}\""),
        _ => format!("\"{three}\""),
    };
    let trip = 2 + change % 5;
    let window = if change % 4 < 2 { "10s" } else { "20s" };
    let protocol = "protocol = \"http2\"";
    let mut text = format!(
        "[service.token]\nendpoints = [{endpoints}]\n\
         breaker = {{ failure_rate = \"50%\", window = \"{window}\" }}\n\
         endpoint_breaker = {{ consecutive_failures = {trip} }}\n\
         [service.session]\nendpoints = [\"{session}\"]\n{protocol}\n\
         [[route]]\nname = \"session\"\nservice = \"session\"\npaths = [\"/session/{{**}}\"]\n"
    );
    if change % 2 == 1 {
        text +=
            "[[listener]]\nname = \"extra\"\naddress = \"127.0.0.1:0\"\nforward_to = \"token\"\n";
        text += "[[route]]\nname = \"tokens\"\nservice = \"token\"\noperation = \"introspect\"\n\
                 paths = [\"/introspect\"]\n";
    }
    text
}

const PATHS: [&str; 3] = ["/", "/introspect", "/session/one"];

async fn ask_by_http1(address: String, tally: Arc<Tally>) {
    let stream = TokioIo::new(TcpStream::connect(&address).await.unwrap());
    let (mut sender, connection) = http1::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    for path in PATHS.iter().cycle().take_while(|_| !tally.is_over()) {
        if let Err(error) = sender.ready().await {
            return tally.note(Err(error));
        }
        tally.note(body_of(sender.send_request(request(path)).await).await);
    }
}

async fn ask_by_http2(address: String, tally: Arc<Tally>) {
    let stream = TokioIo::new(TcpStream::connect(&address).await.unwrap());
    let (sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    let streams = (0..STREAMS).map(|_| {
        let (mut sender, tally) = (sender.clone(), Arc::clone(&tally));
        tokio::spawn(async move {
            for path in PATHS.iter().cycle().take_while(|_| !tally.is_over()) {
                tally.note(body_of(sender.send_request(request(path)).await).await);
            }
        })
    });
    for stream in streams.collect::<Vec<_>>() {
        stream.await.unwrap();
    }
}

pub(crate) fn request(path: &str) -> Request<Empty<Bytes>> {
    let request = Request::builder().uri(format!("http://token{path}")).header("host", "token");
    request.body(Empty::new()).unwrap()
}

/// The body of an answer that is one; else what came instead.
pub(crate) async fn body_of(
    answer: Result<Response<Incoming>, hyper::Error>,
) -> Result<String, hyper::Error> {
    let answer = answer?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = answer.into_body().collect().await?.to_bytes();
    let body = String::from_utf8_lossy(&body).into_owned();
    Ok(if status == StatusCode::OK { body } else { format!("{status} {headers:?} {body}") })
}

/// A service of this name, in HTTP/1.1 and HTTP/2.
pub(crate) async fn serve(name: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let answer = service_fn(move |_: Request<Incoming>| async move {
                    Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(name)))
                });
                let builder = auto::Builder::new(TokioExecutor::new());
                // How a connection ends is seen by whoever was asking on it.
                let _ = builder.serve_connection(TokioIo::new(stream), answer).await;
            });
        }
    });
    address
}

/// Waits until so many requests have been answered or one has failed.
pub(crate) async fn until_answered(tally: &Tally, wanted: usize) {
    let waiting = async {
        while tally.answered.load(Ordering::Relaxed) < wanted {
            assert_eq!(*tally.failed.lock().unwrap(), [""; 0]);
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting).await.unwrap();
}
