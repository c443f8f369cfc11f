//! The body of a request on its way to an endpoint: whether it can be sent twice, and its bounds.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use authmesh_logic::Moment;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::Sleep;

use crate::clock::Clock;
use crate::error::BoxError;

/// A request's body.
#[derive(Debug)]
pub struct RequestBody(Kind);

/// When the last of a request was handed to its connection.
#[derive(Debug)]
pub(crate) enum Sent {
    /// With its head: there is no body, or it was whole.
    AtOnce,
    /// In nanoseconds of the clock; 0 while it is not.
    Later(Arc<AtomicU64>),
}

enum Kind {
    Empty,
    Whole(Option<Bytes>),
    Bounded(Box<Bounded>),
    Streamed(Pin<Box<dyn Body<Data = Bytes, Error = BoxError> + Send>>),
    /// Any of these, with its end noted.
    Noted(Box<RequestBody>, Arc<AtomicU64>),
}

/// What a body may ask for before it is refused. `None` is without bound.
#[derive(Clone, Copy, Debug)]
pub struct BodyBounds {
    /// The most bytes.
    pub bytes: Option<u64>,
    /// How long it may make no progress.
    pub idle: Option<Duration>,
}

/// The body broke one of its [`BodyBounds`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFault {
    /// It has more bytes than allowed.
    TooLarge,
    /// It made no progress for too long.
    Stalled,
}

/// The largest body that is held in memory so that it can be sent again, in bytes.
const LARGEST_REPLAY: u64 = 64 * 1024;

impl RequestBody {
    /// No body.
    #[must_use]
    pub const fn empty() -> Self {
        Self(Kind::Empty)
    }

    /// A body that is whole already.
    #[must_use]
    pub fn whole(bytes: Bytes) -> Self {
        if bytes.is_empty() { Self::empty() } else { Self(Kind::Whole(Some(bytes))) }
    }

    /// A body that arrives from a client, held to `bounds`.
    #[must_use]
    pub fn bounded(incoming: Incoming, bounds: BodyBounds) -> Self {
        if incoming.is_end_stream() {
            return Self::empty();
        }
        Self(Kind::Bounded(Box::new(Bounded { incoming, bounds, seen: 0, patience: None })))
    }

    /// Any other body, sent as it comes.
    pub fn streamed<B>(body: B) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        if body.is_end_stream() {
            return Self::empty();
        }
        Self(Kind::Streamed(Box::pin(body.map_err(Into::into))))
    }

    /// Has it noted when the body ends.
    pub(crate) fn note_end(&mut self) -> Sent {
        if let Kind::Empty | Kind::Whole(_) = self.0 {
            return Sent::AtOnce;
        }
        let end = Arc::default();
        let inner = std::mem::replace(self, Self::empty());
        *self = Self(Kind::Noted(Box::new(inner), Arc::clone(&end)));
        Sent::Later(end)
    }

    /// A second copy, if this body is whole.
    pub(crate) fn copy(&self) -> Option<Self> {
        match &self.0 {
            Kind::Empty => Some(Self::empty()),
            Kind::Whole(bytes) => bytes.clone().map(Self::whole),
            Kind::Bounded(_) | Kind::Streamed(_) | Kind::Noted(..) => None,
        }
    }

    /// Whether it can be sent again only once it has been read: it is still coming, and its size is
    /// known and modest.
    pub(crate) fn wants_reading(&self) -> bool {
        matches!(self.0, Kind::Bounded(_) | Kind::Streamed(_))
            && self.size_hint().exact().is_some_and(|bytes| bytes <= LARGEST_REPLAY)
    }

    /// Reads it into memory, so that it can be sent again.
    pub(crate) async fn read_whole(&mut self) -> Result<(), BoxError> {
        let bytes = std::mem::replace(self, Self::empty()).collect().await?.to_bytes();
        *self = Self::whole(bytes);
        Ok(())
    }
}

impl Sent {
    /// For how long the whole of a request that began to be sent at `began` has been sent.
    pub(crate) fn waited(&self, began: Moment, now: Moment) -> Duration {
        match self {
            Self::AtOnce => now.since(began),
            Self::Later(end) => match end.load(Ordering::Relaxed) {
                0 => Duration::ZERO,
                end => now.since(Moment::from_nanos(end)),
            },
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.0 {
            Kind::Empty => Poll::Ready(None),
            Kind::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Kind::Bounded(bounded) => bounded.poll_frame(context),
            Kind::Streamed(body) => body.as_mut().poll_frame(context),
            Kind::Noted(body, end) => {
                let frame = ready!(Pin::new(&mut **body).poll_frame(context));
                if frame.is_none() || body.is_end_stream() {
                    end.store(Clock.now().as_nanos(), Ordering::Relaxed);
                }
                Poll::Ready(frame)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Empty => true,
            Kind::Whole(bytes) => bytes.is_none(),
            Kind::Bounded(bounded) => bounded.incoming.is_end_stream(),
            Kind::Streamed(body) => body.is_end_stream(),
            Kind::Noted(body, _) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Kind::Bounded(bounded) => bounded.incoming.size_hint(),
            Kind::Streamed(body) => body.size_hint(),
            Kind::Noted(body, _) => body.size_hint(),
        }
    }
}

impl std::fmt::Debug for Kind {
    // Bodies of an authentication system are secrets: only the form is told.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Empty => "Empty",
            Self::Whole(_) => "Whole",
            Self::Bounded(_) => "Bounded",
            Self::Streamed(_) => "Streamed",
            Self::Noted(..) => "Noted",
        })
    }
}

impl std::fmt::Display for BodyFault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::TooLarge => "the body is larger than allowed",
            Self::Stalled => "the body made no progress",
        })
    }
}

impl std::error::Error for BodyFault {}

struct Bounded {
    incoming: Incoming,
    bounds: BodyBounds,
    seen: u64,
    // Armed only while the client lets us wait.
    patience: Option<Pin<Box<Sleep>>>,
}

impl Bounded {
    fn poll_frame(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.incoming).poll_frame(context) else {
            return self.poll_patience(context);
        };
        self.patience = None;
        let frame = match frame {
            None => return Poll::Ready(None),
            Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
            Some(Ok(frame)) => frame,
        };
        self.seen += frame.data_ref().map_or(0, |data| data.len() as u64);
        if self.bounds.bytes.is_some_and(|most| self.seen > most) {
            return Poll::Ready(Some(Err(BodyFault::TooLarge.into())));
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn poll_patience(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Some(idle) = self.bounds.idle else { return Poll::Pending };
        let patience = self.patience.get_or_insert_with(|| Box::pin(tokio::time::sleep(idle)));
        ready!(patience.as_mut().poll(context));
        Poll::Ready(Some(Err(BodyFault::Stalled.into())))
    }
}
