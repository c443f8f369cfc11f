//! One connection of a client: TLS if the listener wants it, then HTTP/1.1 or HTTP/2 until it ends.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use authmesh::identity::{HandshakeEnd, SpiffeId};
use authmesh::worker::Gathered;
use authmesh_logic::config::Limits;
use http::{Request, Response, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use crate::activity::Activity;
use crate::ends::{End, Ends};
use crate::entrance::Entrance;
use crate::forward::forward;
use crate::noted::Noted;
use crate::peer::Peer;
use crate::relay::{self, Session};
use crate::replayed::Replayed;
use crate::reply::ReplyBody;
use crate::serving::{ListenerShared, Serving};
use crate::stream_tasks::StreamTasks;
use crate::switched::Switched;
use crate::table::Table;
use crate::tls::{Entered, ListenerTls, Proved};
use crate::whole_answer::WholeAnswer;

/// A connection that was accepted.
pub(crate) struct Accepted {
    pub(crate) listener: Arc<ListenerShared>,
    pub(crate) peer: Option<Peer>,
    pub(crate) tls: Option<Arc<ListenerTls>>,
    /// What its handshake proved, if there was one.
    pub(crate) proved: Option<Arc<Proved>>,
    /// What it goes on as once its HTTP has ended.
    pub(crate) switched: Mutex<Option<Box<Switched>>>,
}

/// How many header fields hyper takes if it is told nothing.
const HYPERS_HEADERS: u32 = 100;

/// The smallest buffer hyper accepts for a head, in bytes.
const SMALLEST_HEAD_BUFFER: usize = 8 * 1024;

/// Serves a connection until either side ends it. When `drain` turns true, the requests in flight
/// are answered and no further one is taken.
pub(crate) async fn serve<S>(
    stream: S,
    mut accepted: Accepted,
    serving: Arc<Serving>,
    drain: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Some(tls) = accepted.tls.clone() else {
        return serve_http(stream, accepted, serving, drain).await;
    };
    match tls.enter(stream).await {
        Ok(Entered::Secure(stream, proved)) => {
            accepted.proved = Some(Arc::new(proved));
            // It stays on the heap: moved into the task it would stand there several times over.
            serve_http(stream, accepted, serving, drain).await;
        }
        Ok(Entered::Plain(stream)) => serve_http(stream, accepted, serving, drain).await,
        Err(error) => {
            let listener = accepted.listener.name.load();
            let reason = HandshakeEnd::of(&error).word();
            tracing::debug!(%listener, peer = ?accepted.peer.as_ref().map(|peer| peer.address), reason, %error, "no TLS handshake");
        }
    }
}

/// Serves HTTP: as long as it can by the short way, which takes requests in HTTP/1.1 that came whole,
/// then by the long one, which takes all.
async fn serve_http<S>(
    stream: S,
    accepted: Accepted,
    serving: Arc<Serving>,
    drain: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let activity = Activity::new(Arc::clone(&serving.own));
    let mut stream = Noted::new(stream, Arc::clone(&activity));
    let accepted = Arc::new(accepted);
    let mut ends =
        Ends::new(&serving, accepted.proved.clone(), Arc::clone(&activity), drain.clone());
    let ended = {
        let session = Session::new(&mut stream, &activity);
        let entered =
            |play: &mut dyn FnMut(&Table, &Entrance<'_>)| enter(&serving, &accepted, play);
        let mut session = pin!(session.run(entered));
        loop {
            tokio::select! {
                biased;
                ended = session.as_mut() => break ended,
                end = ends.next() => match end {
                    End::Now => return,
                    End::AfterRequest => activity.end_soon(),
                },
            }
        }
    };
    if let relay::Ended::Odd(first) = ended {
        // On the heap, so that connections that go the short way are not larger for it.
        let stream = Replayed::new(first, Gathered::new(stream));
        Box::pin(serve_long(stream, accepted, serving, activity, ends, drain)).await;
    }
}

/// Serves HTTP in whatever version and form it comes.
async fn serve_long<S>(
    stream: S,
    accepted: Arc<Accepted>,
    serving: Arc<Serving>,
    activity: Arc<Activity>,
    mut ends: Ends,
    drain: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let limits = serving.table().limits;
    let builder = builder(&limits);
    let after_http = Arc::clone(&accepted);
    let requests_by = Arc::clone(&serving);
    let mut is_ending = activity.is_ending();
    let service = service_fn(move |request: Request<Incoming>| {
        let in_flight = activity.begin(request.version() == Version::HTTP_2);
        let own = Arc::clone(&accepted);
        answer(&requests_by, &accepted, request, move |mut body| {
            if let Some(switched) = body.take_switched() {
                own.goes_on_as(switched);
            }
            WholeAnswer::of(body, in_flight)
        })
    });
    let mut connection =
        pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
    loop {
        tokio::select! {
            biased;
            // How a client ends its connection is its own affair.
            _ = connection.as_mut() => break,
            end = ends.next() => match end {
                End::Now => return,
                End::AfterRequest => connection.as_mut().graceful_shutdown(),
            },
            // Only now that it has seen the request that it was begun for.
            () = std::future::ready(()), if is_ending => {
                is_ending = false;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
    if let Some(switched) = after_http.take_switched() {
        // On the heap, so that connections that speak HTTP are not larger for it.
        let proved = after_http.proved.as_deref();
        Box::pin(carry(*switched, proved, limits.idle_timeout, &serving, drain)).await;
    }
}

/// Goes on as another protocol until a side ends, nothing moves any more, its request may no longer
/// pass, what the handshake `proved` ends, or `drain` turns true: only the two ends know where a
/// message ends, so nothing can be said to them first.
async fn carry(
    switched: Switched,
    proved: Option<&Proved>,
    idle: Option<Duration>,
    serving: &Serving,
    mut drain: watch::Receiver<bool>,
) {
    tokio::select! {
        biased;
        _ = drain.wait_for(|drain| *drain) => {}
        () = Proved::end_of(proved) => {}
        ended = switched.carry(idle, serving) => {
            if let Err(error) = ended {
                tracing::debug!(%error, "a WebSocket connection broke");
            }
        }
    }
}

impl Accepted {
    /// Where its requests come in; `listener` is the name that the listener has now.
    fn entrance<'a>(&'a self, listener: &'a str) -> Entrance<'a> {
        let proved = self.proved.as_deref();
        Entrance {
            listener,
            peer: self.peer.as_ref(),
            identity: proved.and_then(Proved::id).map(SpiffeId::as_str),
            identity_field: proved.and_then(Proved::field),
            port: self.listener.port,
            is_tls: proved.is_some(),
        }
    }

    fn goes_on_as(&self, switched: Box<Switched>) {
        *self.switched.lock().unwrap_or_else(PoisonError::into_inner) = Some(switched);
    }

    fn take_switched(&self) -> Option<Box<Switched>> {
        self.switched.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// All that is decided about a request before it is sent on is decided in this call; only what
/// waits for its service outlives it.
fn answer<W, B>(
    serving: &Serving,
    accepted: &Accepted,
    request: Request<Incoming>,
    wrap: W,
) -> impl Future<Output = Result<Response<B>, Infallible>> + Send + use<W, B>
where
    W: FnOnce(ReplyBody) -> B + Send,
{
    forward(&serving.table(), &accepted.entrance(&accepted.listener.name.load()), request, wrap)
}

/// Shows what a connection is served by at this moment.
fn enter(serving: &Serving, accepted: &Accepted, play: &mut dyn FnMut(&Table, &Entrance<'_>)) {
    play(&serving.table(), &accepted.entrance(&accepted.listener.name.load()));
}

fn builder(limits: &Limits) -> auto::Builder<StreamTasks> {
    let mut builder = auto::Builder::new(StreamTasks { patience: limits.body_idle_timeout });
    builder
        .http1()
        .timer(TokioTimer::new())
        // The watch of the connection times heads without a timer for each request.
        .header_read_timeout(None)
        .max_buf_size((limits.header_bytes as usize).max(SMALLEST_HEAD_BUFFER));
    // Told its own number, hyper would make room for each head that it otherwise has at hand.
    if limits.headers != HYPERS_HEADERS {
        builder.http1().max_headers(limits.headers as usize);
    }
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(limits.header_bytes);
    builder
}
