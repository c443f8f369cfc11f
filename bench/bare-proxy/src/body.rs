//! The body of an answer: gives its connection back once it has ended.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http_body::{Body, Frame, SizeHint};
use hyper::body::{Bytes, Incoming};

use crate::pool::Lent;

/// An answer's body with the connection it comes from.
///
/// Dropped early, the connection is dropped with it: its answer has not been read to the end.
pub(crate) struct PooledBody {
    body: Incoming,
    lent: Option<Lent>,
}

impl PooledBody {
    pub(crate) fn new(body: Incoming, lent: Lent) -> Self {
        let mut pooled = Self { body, lent: Some(lent) };
        pooled.give_back_at_end();
        pooled
    }

    fn give_back_at_end(&mut self) {
        if self.body.is_end_stream()
            && let Some(lent) = self.lent.take()
        {
            lent.give_back();
        }
    }
}

impl Body for PooledBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        match &frame {
            Some(Ok(_)) => self.give_back_at_end(),
            Some(Err(_)) => self.lent = None,
            None => {
                if let Some(lent) = self.lent.take() {
                    lent.give_back();
                }
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
