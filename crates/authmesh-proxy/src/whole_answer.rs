//! The body of an answer on its way to a client: ends its request's flight, and shows whether the
//! client takes it.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::activity::InFlight;
use crate::stream_tasks::note_asked;

/// A body that ends its request's flight.
pub(crate) struct WholeAnswer<B> {
    body: B,
    /// What is left of a frame that was too large for one piece.
    rest: Bytes,
    /// How large a piece may be, in bytes.
    largest: usize,
    _in_flight: InFlight,
}

/// The largest piece given to a stream of HTTP/2 at once, in bytes. That a client takes anything is
/// seen by its taking a whole piece; with larger ones a slow client would look like a stuck one.
const LARGEST_PIECE: usize = 64 * 1024;

impl<B> WholeAnswer<B> {
    /// The answer's body; its request is in flight until it has ended or been dropped.
    pub(crate) fn of(body: B, in_flight: InFlight) -> Self {
        let largest = if in_flight.is_stream() { LARGEST_PIECE } else { usize::MAX };
        Self { body, rest: Bytes::new(), largest, _in_flight: in_flight }
    }
}

impl<B: Body<Data = Bytes> + Unpin> WholeAnswer<B> {
    fn poll_piece(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                ended => return Poll::Ready(ended),
            }
        }
        let length = self.rest.len().min(self.largest);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(length)))))
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for WholeAnswer<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let piece = self.poll_piece(context);
        note_asked(matches!(piece, Poll::Ready(Some(Ok(_)))));
        piece
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.len() as u64;
        let body = self.body.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower() + rest);
        if let Some(upper) = body.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Arc;

    use http_body_util::{BodyExt, Full};

    use super::*;
    use crate::activity::Activity;

    async fn pieces(is_stream: bool, length: usize) -> Vec<usize> {
        let body = Full::<Bytes>::from(vec![b'x'; length]);
        let in_flight = Activity::new(Arc::default()).begin(is_stream);
        let mut body = WholeAnswer::of(body, in_flight);
        let mut pieces = Vec::new();
        while !body.is_end_stream() {
            assert_eq!(
                body.size_hint().exact(),
                Some((length - pieces.iter().sum::<usize>()) as u64)
            );
            let frame: Result<_, Infallible> = body.frame().await.unwrap();
            pieces.push(frame.unwrap().into_data().unwrap().len());
        }
        pieces
    }

    #[tokio::test]
    async fn a_stream_gets_its_answer_in_pieces_of_which_none_is_lost() {
        assert_eq!(pieces(true, 150_000).await, [65_536, 65_536, 18_928]);
        assert_eq!(pieces(true, 65_536).await, [65_536]);
        assert_eq!(pieces(false, 150_000).await, [150_000]);
    }
}
