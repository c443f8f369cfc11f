//! Connections to one endpoint: made, lent, kept, and never re-sending by themselves.

mod connect;
mod exchange_timer;
mod gathered;
mod http1;
mod http2;
mod idle;
mod raw;

pub use connect::unpace;
pub use gathered::Gathered;
pub use raw::Progress;
pub(crate) use raw::RawAnswer;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use authmesh_logic::config::Protocol;
use authmesh_logic::discovery::Address;
use authmesh_logic::{Lane, Moment};
use http::{Request, Response};
use hyper::body::Incoming;

use self::idle::Idle;
use crate::error::BoxError;
use crate::identity::{Pin, Proof};
use crate::raw_request::RawRequest;
use crate::request_body::RequestBody;

/// How connections are made and kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ConnectionPolicy {
    pub(crate) connect_timeout: Duration,
    /// How long an unused connection is kept.
    pub(crate) keep_alive: Duration,
    /// How many unused connections each lane keeps.
    pub(crate) most_idle: usize,
    /// How old a connection may become before it is no longer lent.
    pub(crate) oldest: Duration,
}

/// All connections to one endpoint.
pub(crate) struct Transport {
    address: Address,
    protocol: Protocol,
    /// Who the endpoint must prove to be.
    pin: Option<Pin>,
    lanes: Box<[LaneConnections]>,
    open: Arc<OpenConnections>,
}

/// When an attempt is made, and over which of an endpoint's connections.
#[derive(Clone, Copy)]
pub(crate) struct Passage {
    pub(crate) connections: ConnectionPolicy,
    pub(crate) lane: Lane,
    pub(crate) now: Moment,
    /// When the head of the answer must be there.
    pub(crate) end: Moment,
}

/// How many connections are open, counted by what holds them.
#[derive(Debug, Default)]
pub(crate) struct OpenConnections(AtomicU64);

/// Counts as an open connection until it is dropped.
pub(crate) struct OpenPlace(Arc<OpenConnections>);

/// Why sending a request brought no answer.
pub(crate) enum Unanswered {
    /// Not a byte of it was sent: it may go elsewhere, whatever its class, and is back where it was
    /// taken from.
    Returned(BoxError),
    /// The endpoint says it did not process it.
    Unprocessed(BoxError),
    /// It was sent, and the connection broke before the head of an answer.
    Lost(BoxError),
    /// Its time was over before the head of an answer came.
    Late,
}

/// A connection lent for one exchange. Given back it may be lent again; dropped it closes.
pub(crate) enum Lent {
    Http1(http1::Connection),
    Raw(Box<raw::Connection>),
    /// Others share it, or it is of no more use.
    Nothing,
}

#[derive(Default)]
struct LaneConnections {
    http1: Idle<http1::Connection>,
    http2: http2::Slot,
    raw: Idle<Box<raw::Connection>>,
}

impl ConnectionPolicy {
    /// The same for one kind of connections, while so many of the other are unused.
    const fn beside(&self, others: usize) -> Self {
        Self { most_idle: self.most_idle.saturating_sub(others), ..*self }
    }
}

impl Transport {
    pub(crate) fn new(
        address: Address,
        protocol: Protocol,
        pin: Option<Pin>,
        lanes: usize,
        open: Arc<OpenConnections>,
    ) -> Self {
        let lane = |_| LaneConnections::default();
        Self { address, protocol, pin, lanes: (0..lanes.max(1)).map(lane).collect(), open }
    }

    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// Sends a request and waits for the head of its answer until `end`. Dropping the future closes an HTTP/1.1 connection and resets an HTTP/2 stream.
    ///
    /// The request is taken out of its place and comes back there if it was not sent; so it moves
    /// once on its way down, however many layers there are.
    pub(crate) async fn send(
        &self,
        passage: Passage,
        request: &mut Request<RequestBody>,
    ) -> Result<(Response<Incoming>, Lent), Unanswered> {
        let Passage { connections: policy, now, end, .. } = &passage;
        let own = self.own(passage.lane);
        match self.protocol {
            Protocol::Http1 => own.http1.send(self, &passage, request).await,
            Protocol::Http2 => {
                // On the heap, so that it does not make every HTTP/1.1 request larger.
                let sending = Box::pin(own.http2.send(self, policy, *now, request));
                tokio::time::timeout(end.since(*now), sending)
                    .await
                    .unwrap_or(Err(Unanswered::Late))
            }
        }
    }

    /// The same for a request that is bytes; the endpoint speaks HTTP/1.1.
    pub(crate) fn send_raw<'a>(
        &'a self,
        passage: Passage,
        request: &'a RawRequest,
    ) -> impl Future<Output = Result<RawAnswer, Unanswered>> + Send + 'a {
        self.own(passage.lane).raw.send(self, passage, request)
    }

    fn own(&self, lane: Lane) -> &LaneConnections {
        &self.lanes[lane.shard(self.lanes.len())]
    }

    /// Counts a connection that no task drives any more.
    pub(crate) fn open_place(&self) -> OpenPlace {
        self.open.place()
    }

    /// Takes back a connection whose exchange has ended well.
    pub(crate) fn give_back(&self, policy: &ConnectionPolicy, lane: Lane, now: Moment, lent: Lent) {
        let own = self.own(lane);
        match lent {
            Lent::Http1(connection) => {
                own.http1.keep(&policy.beside(own.raw.len()), now, connection);
            }
            Lent::Raw(connection) => {
                own.raw.keep(&policy.beside(own.http1.len()), now, connection);
            }
            Lent::Nothing => {}
        }
    }

    /// Closes the connections that have been unused for too long, or whose proof has ended.
    pub(crate) fn sweep(&self, policy: &ConnectionPolicy, now: Moment) {
        for lane in &self.lanes {
            lane.http1.sweep(self, policy, now);
            lane.http2.sweep(self, now);
            lane.raw.sweep(self, policy, now);
        }
    }

    /// Closes the connections that are not lent.
    pub(crate) fn close_unused(&self) {
        for lane in &self.lanes {
            lane.http1.clear();
            lane.http2.clear();
            lane.raw.clear();
        }
    }

    /// Whether the proof that a connection was made with is still good.
    fn still_holds(&self, proof: Option<&Proof>, now: Moment) -> bool {
        match (&self.pin, proof) {
            (Some(pin), Some(proof)) => pin.still_holds(proof, now),
            (pin, _) => pin.is_none(),
        }
    }
}

impl OpenConnections {
    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Drives a connection in a task of its own until it ends, and counts it meanwhile.
    fn drive(self: &Arc<Self>, connection: impl Future + Send + 'static) {
        let place = self.place();
        tokio::spawn(async move {
            // How a connection ends is told by the request it was lent to.
            connection.await;
            drop(place);
        });
    }

    fn place(self: &Arc<Self>) -> OpenPlace {
        self.0.fetch_add(1, Ordering::Relaxed);
        OpenPlace(Arc::clone(self))
    }
}

impl Drop for OpenPlace {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Why a 101 is no answer: the request did not ask for the protocol it changes to.
fn unasked_protocol() -> BoxError {
    "the endpoint changed to a protocol that it was not asked for".into()
}

/// Takes a request out of its place.
fn take(request: &mut Request<RequestBody>) -> Request<RequestBody> {
    std::mem::replace(request, Request::new(RequestBody::empty()))
}
