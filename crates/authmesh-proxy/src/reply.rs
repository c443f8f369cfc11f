//! The body of an answer on its way to a client, whoever gave it.

use std::pin::Pin;
use std::task::{Context, Poll};

use authmesh::Error;
use authmesh::worker::ResponseBody;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::switched::Switched;

/// The body of an answer: the endpoint's, or our own.
pub(crate) enum ReplyBody {
    Upstream(ResponseBody),
    Own(Option<Bytes>),
    /// Nothing, and then another protocol.
    Switched(Option<Box<Switched>>),
}

impl ReplyBody {
    /// What the connection goes on as, if it does. To be taken before the answer is sent.
    pub(crate) fn take_switched(&mut self) -> Option<Box<Switched>> {
        match self {
            Self::Switched(switched) => switched.take(),
            _ => None,
        }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match self.get_mut() {
            Self::Upstream(body) => Pin::new(body).poll_frame(context),
            Self::Own(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Switched(_) => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Upstream(body) => body.is_end_stream(),
            Self::Own(bytes) => bytes.is_none(),
            Self::Switched(_) => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Upstream(body) => body.size_hint(),
            Self::Own(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Self::Switched(_) => SizeHint::with_exact(0),
        }
    }
}
