//! One connection of a client: TLS if the listener wants it, then HTTP/1.1 or HTTP/2 until it ends.

use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use authmesh_logic::config::Limits;
use http::{Request, Response, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use crate::activity::{Activity, Patience, Watch};
use crate::forward::{Entrance, forward};
use crate::noted::Noted;
use crate::reply::ReplyBody;
use crate::serving::{ListenerShared, Serving};
use crate::stream_tasks::StreamTasks;
use crate::switched::Switched;
use crate::whole_answer::WholeAnswer;

/// A connection that was accepted.
pub(crate) struct Accepted {
    pub(crate) listener: Arc<ListenerShared>,
    pub(crate) peer: Option<IpAddr>,
    pub(crate) tls: Option<Arc<ServerConfig>>,
    /// What it goes on as once its HTTP has ended.
    pub(crate) switched: Mutex<Option<Box<Switched>>>,
}

/// How long a TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// The smallest buffer hyper accepts for a head, in bytes.
const SMALLEST_HEAD_BUFFER: usize = 8 * 1024;

/// Serves a connection until either side ends it. When `drain` turns true, the requests in flight
/// are answered and no further one is taken.
pub(crate) async fn serve<S>(
    stream: S,
    accepted: Accepted,
    serving: Arc<Serving>,
    drain: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Some(config) = accepted.tls.clone() else {
        return serve_http(stream, accepted, serving, drain).await;
    };
    let handshake = TlsAcceptor::from(config).accept(stream);
    match tokio::time::timeout(HANDSHAKE_TIMEOUT, handshake).await {
        Ok(Ok(stream)) => serve_http(stream, accepted, serving, drain).await,
        Ok(Err(error)) => refuse_handshake(&accepted, &error),
        Err(_) => refuse_handshake(&accepted, &io::Error::from(io::ErrorKind::TimedOut)),
    }
}

fn refuse_handshake(accepted: &Accepted, error: &io::Error) {
    tracing::debug!(listener = %accepted.listener.name.load(), %error, "TLS handshake failed");
}

async fn serve_http<S>(
    stream: S,
    accepted: Accepted,
    serving: Arc<Serving>,
    mut drain: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let limits = serving.table().limits;
    let activity = Activity::new(Arc::clone(&serving.own));
    let patience = Patience {
        header: limits.header_timeout,
        idle: limits.idle_timeout,
        stuck: limits.body_idle_timeout,
    };
    let stream = TokioIo::new(Noted::new(stream, Arc::clone(&activity)));
    let builder = builder(&limits);
    let noted = Arc::clone(&activity);
    let accepted = Arc::new(accepted);
    let after_http = Arc::clone(&accepted);
    let service = service_fn(move |request: Request<Incoming>| {
        let in_flight = noted.begin(request.version() == Version::HTTP_2);
        let (serving, accepted) = (Arc::clone(&serving), Arc::clone(&accepted));
        async move {
            let mut response = answer(&serving, &accepted, request).await;
            if let Some(switched) = response.body_mut().take_switched() {
                accepted.goes_on_as(switched);
            }
            Ok::<_, std::convert::Infallible>(response.map(|body| WholeAnswer::of(body, in_flight)))
        }
    });
    let mut connection = pin!(builder.serve_connection_with_upgrades(stream, service));
    let mut watch = pin!(Watch::new(activity, patience));
    let mut is_draining = false;
    loop {
        tokio::select! {
            biased;
            // How a client ends its connection is its own affair.
            _ = connection.as_mut() => break,
            () = watch.as_mut() => return,
            // A worker that is gone drains as well.
            _ = drain.wait_for(|drain| *drain), if !is_draining => {
                is_draining = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
    if let Some(switched) = after_http.take_switched() {
        // On the heap, so that connections that speak HTTP are not larger for it.
        Box::pin(carry(*switched, limits.idle_timeout, drain)).await;
    }
}

/// Goes on as another protocol until a side ends, nothing moves any more, or `drain` turns true: only
/// the two ends know where a message ends, so nothing can be said to them first.
async fn carry(switched: Switched, idle: Option<Duration>, mut drain: watch::Receiver<bool>) {
    tokio::select! {
        biased;
        _ = drain.wait_for(|drain| *drain) => {}
        ended = switched.carry(idle) => {
            if let Err(error) = ended {
                tracing::debug!(%error, "a WebSocket connection broke");
            }
        }
    }
}

impl Accepted {
    fn goes_on_as(&self, switched: Box<Switched>) {
        *self.switched.lock().unwrap_or_else(PoisonError::into_inner) = Some(switched);
    }

    fn take_switched(&self) -> Option<Box<Switched>> {
        self.switched.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

async fn answer(
    serving: &Serving,
    accepted: &Accepted,
    request: Request<Incoming>,
) -> Response<ReplyBody> {
    let listener = accepted.listener.name.load_full();
    let entrance = Entrance {
        listener: &listener,
        peer: accepted.peer,
        identity: None,
        port: accepted.listener.port,
        is_tls: accepted.tls.is_some(),
    };
    let table = serving.table();
    forward(&table, &entrance, request).await
}

fn builder(limits: &Limits) -> auto::Builder<StreamTasks> {
    let mut builder = auto::Builder::new(StreamTasks { patience: limits.body_idle_timeout });
    builder
        .http1()
        .timer(TokioTimer::new())
        // The watch of the connection times heads without a timer for each request.
        .header_read_timeout(None)
        .max_headers(limits.headers as usize)
        .max_buf_size((limits.header_bytes as usize).max(SMALLEST_HEAD_BUFFER));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(limits.header_bytes);
    builder
}
