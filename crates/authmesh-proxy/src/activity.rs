//! Closes a connection that is unused or too slow with a request's head, without a timer for each
//! request.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use authmesh::worker::Clock;
use authmesh_logic::Moment;
use http_body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// What one connection is doing, noted by whoever sees it.
#[derive(Default)]
pub(crate) struct Activity {
    in_flight: AtomicU32,
    /// Since when nothing is in flight, in nanoseconds of the clock.
    idle_since: AtomicU64,
    /// Since when bytes of a head that is not whole have been coming; 0 is never.
    head_since: AtomicU64,
    /// HTTP/2 says nothing by mere bytes: only its first head is timed.
    is_multiplexed: AtomicBool,
}

/// A request in flight on a connection.
pub(crate) struct InFlight(Arc<Activity>);

/// How long a connection may take.
#[derive(Clone, Copy)]
pub(crate) struct Patience {
    pub(crate) header: Option<Duration>,
    pub(crate) idle: Option<Duration>,
}

impl Activity {
    pub(crate) fn new() -> Arc<Self> {
        let activity = Self::default();
        activity.idle_since.store(Clock.now().as_nanos(), Ordering::Relaxed);
        Arc::new(activity)
    }

    /// Notes that a request's head is whole.
    pub(crate) fn begin(self: &Arc<Self>, is_multiplexed: bool) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        self.head_since.store(0, Ordering::Relaxed);
        if is_multiplexed {
            self.is_multiplexed.store(true, Ordering::Relaxed);
        }
        InFlight(Arc::clone(self))
    }

    fn note_bytes(&self) {
        if self.in_flight.load(Ordering::Relaxed) == 0
            && !self.is_multiplexed.load(Ordering::Relaxed)
            && self.head_since.load(Ordering::Relaxed) == 0
        {
            self.head_since.store(Clock.now().as_nanos().max(1), Ordering::Relaxed);
        }
    }

    /// When patience ends if nothing more happens; `None` while a request is in flight.
    fn ends(&self, patience: Patience) -> Option<Moment> {
        if self.in_flight.load(Ordering::Relaxed) > 0 {
            return None;
        }
        let head_since = self.head_since.load(Ordering::Relaxed);
        if head_since > 0 {
            return patience.header.map(|limit| Moment::from_nanos(head_since) + limit);
        }
        let idle_since = Moment::from_nanos(self.idle_since.load(Ordering::Relaxed));
        patience.idle.map(|limit| idle_since + limit)
    }
}

impl InFlight {
    /// Keeps the request in flight until its answer's body has ended or been dropped.
    pub(crate) fn until_end_of<B>(self, body: B) -> WholeAnswer<B> {
        WholeAnswer { body, _in_flight: self }
    }
}

/// A body that ends its request's flight.
pub(crate) struct WholeAnswer<B> {
    body: B,
    _in_flight: InFlight,
}

impl<B: Body + Unpin> Body for WholeAnswer<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if self.0.in_flight.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.0.idle_since.store(Clock.now().as_nanos(), Ordering::Relaxed);
        }
    }
}

/// A stream that notes the arrival of bytes.
pub(crate) struct Noted<S> {
    stream: S,
    activity: Arc<Activity>,
}

impl<S> Noted<S> {
    pub(crate) fn new(stream: S, activity: Arc<Activity>) -> Self {
        Self { stream, activity }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Noted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            self.activity.note_bytes();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Noted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// Ends when patience with a connection ends. Polled after the connection itself, so that a whole
/// request that came in one piece never touches a timer.
pub(crate) struct Watch {
    activity: Arc<Activity>,
    patience: Patience,
    timer: Pin<Box<Sleep>>,
    armed: Moment,
}

/// How long a watch sleeps while a request is in flight and nothing can end.
const LONG: Duration = Duration::from_secs(60);

impl Watch {
    pub(crate) fn new(activity: Arc<Activity>, patience: Patience) -> Self {
        let now = Clock.now();
        let wait = activity.ends(patience).map_or(LONG, |end| end.since(now));
        Self { activity, patience, timer: Box::pin(tokio::time::sleep(wait)), armed: now + wait }
    }
}

impl Future for Watch {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let end = self.activity.ends(self.patience);
            let is_too_late = end.is_some_and(|end| end < self.armed);
            if !is_too_late && self.timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            let now = Clock.now();
            if end.is_some_and(|end| end <= now) {
                return Poll::Ready(());
            }
            let wait = end.map_or(LONG, |end| end.since(now));
            self.armed = now + wait;
            self.timer = Box::pin(tokio::time::sleep(wait));
        }
    }
}
