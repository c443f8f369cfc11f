//! A real server on a thread of its own, which answers, breaks or keeps silent as it is told.

use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::thread::JoinHandle;

use authmesh::discovery::Address;
use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// What a server does with a request it has read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Manner {
    /// It answers 200 with its name.
    Answers,
    /// It answers 500.
    Fails,
    /// It answers 401.
    Denies,
    /// It breaks the connection without an answer.
    HangsUp,
    /// It never answers.
    KeepsSilent,
}

const MANNERS: [Manner; 5] =
    [Manner::Answers, Manner::Fails, Manner::Denies, Manner::HangsUp, Manner::KeepsSilent];

/// A running server; dropping it breaks its connections and frees its port.
pub(crate) struct Backend {
    pub(crate) address: Address,
    state: Arc<State>,
    stop: Option<oneshot::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

struct State {
    name: &'static str,
    manner: AtomicU8,
    requests: AtomicUsize,
}

impl Backend {
    pub(crate) fn start(name: &'static str, manner: Manner) -> Self {
        let state =
            State { name, manner: AtomicU8::new(manner as u8), requests: AtomicUsize::new(0) };
        let state = Arc::new(state);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = Address::Tcp(listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel();
        let serving = serve(listener, Arc::clone(&state), stopped);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(serving);
        });
        Self { address, state, stop: Some(stop), thread: Some(thread) }
    }

    pub(crate) fn behave(&self, manner: Manner) {
        self.state.manner.store(manner as u8, Ordering::SeqCst);
    }

    /// How many requests it has read.
    pub(crate) fn requests(&self) -> usize {
        self.state.requests.load(Ordering::SeqCst)
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

/// An address where nobody listens.
pub(crate) fn nowhere() -> Address {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    Address::Tcp(listener.local_addr().unwrap())
}

async fn serve(
    listener: std::net::TcpListener,
    state: Arc<State>,
    mut stopped: oneshot::Receiver<Infallible>,
) {
    let listener = TcpListener::from_std(listener).unwrap();
    loop {
        tokio::select! {
            _ = &mut stopped => return,
            accepted = listener.accept() => {
                let (stream, _) = accepted.unwrap();
                tokio::spawn(converse(stream, Arc::clone(&state)));
            }
        }
    }
}

async fn converse(stream: TcpStream, state: Arc<State>) {
    let service = service_fn(|request: http::Request<hyper::body::Incoming>| {
        let state = Arc::clone(&state);
        async move {
            let read = request.into_body().collect().await;
            if read.is_err() {
                return Err(io::Error::other("the request broke"));
            }
            state.requests.fetch_add(1, Ordering::SeqCst);
            let answer = |status, text| {
                let mut answer = Response::new(Full::new(Bytes::from_static(text)));
                *answer.status_mut() = status;
                Ok(answer)
            };
            match MANNERS[usize::from(state.manner.load(Ordering::SeqCst))] {
                Manner::Answers => answer(StatusCode::OK, state.name.as_bytes()),
                Manner::Fails => answer(StatusCode::INTERNAL_SERVER_ERROR, b"broken"),
                Manner::Denies => answer(StatusCode::UNAUTHORIZED, b"no"),
                Manner::HangsUp => Err(io::Error::other("as told")),
                Manner::KeepsSilent => pending().await,
            }
        }
    });
    // That a connection breaks is part of what is tested.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}
