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
    ahead: VecDeque<Frame<Bytes>>,
    incoming: Incoming,
}

impl AnswerBody {
    pub(crate) const fn new(incoming: Incoming) -> Self {
        Self { ahead: VecDeque::new(), incoming }
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
            self.ahead.push_back(frame);
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
        if let Some(frame) = self.ahead.pop_front() {
            return Poll::Ready(Some(Ok(frame)));
        }
        Pin::new(&mut self.incoming).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.ahead.is_empty() && self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let ahead = self.ahead.iter().filter_map(Frame::data_ref).map(Bytes::len).sum::<usize>();
        let (ahead, rest) = (ahead as u64, self.incoming.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(ahead + rest.lower());
        if let Some(upper) = rest.upper() {
            hint.set_upper(ahead + upper);
        }
        hint
    }
}
