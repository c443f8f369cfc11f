//! The body of an endpoint's answer as it comes, or with what was read of it ahead put in front.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;

/// The body of an endpoint's answer.
pub(crate) struct AnswerBody {
    /// On the heap, as hardly any answer is read ahead and every one would be made larger.
    ahead: Option<Box<Ahead>>,
    incoming: Incoming,
}

/// What was read ahead and is not delivered yet.
#[derive(Default)]
struct Ahead(VecDeque<Frame<Bytes>>);

impl AnswerBody {
    pub(crate) const fn new(incoming: Incoming) -> Self {
        Self { ahead: None, incoming }
    }

    /// Reads the whole body ahead, to be delivered all the same. `None` if it is longer than `most`
    /// bytes; what was read of it then is delivered too.
    pub(crate) async fn read_ahead(
        &mut self,
        most: usize,
    ) -> Result<Option<Vec<u8>>, hyper::Error> {
        // Whoever says that it is too long need not be read at all.
        if self.incoming.size_hint().lower() > most as u64 {
            return Ok(None);
        }
        let mut whole = Vec::new();
        while let Some(frame) = self.incoming.frame().await {
            let frame = frame?;
            if let Some(data) = frame.data_ref() {
                whole.extend_from_slice(data);
            }
            self.ahead.get_or_insert_default().0.push_back(frame);
            if whole.len() > most {
                return Ok(None);
            }
        }
        Ok(Some(whole))
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        if let Some(ahead) = &mut self.ahead {
            if let Some(frame) = ahead.0.pop_front() {
                return Poll::Ready(Some(Ok(frame)));
            }
            self.ahead = None;
        }
        Pin::new(&mut self.incoming).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        let is_delivered = self.ahead.as_ref().is_none_or(|ahead| ahead.0.is_empty());
        is_delivered && self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.incoming.size_hint();
        let Some(ahead) = &self.ahead else { return rest };
        let ahead =
            ahead.0.iter().filter_map(Frame::data_ref).map(Bytes::len).sum::<usize>() as u64;
        let mut hint = SizeHint::new();
        hint.set_lower(ahead + rest.lower());
        if let Some(upper) = rest.upper() {
            hint.set_upper(ahead + upper);
        }
        hint
    }
}
