//! An answer that goes on: server-sent events, one after the other, at the pace of the peer.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Response, header};
use http_body::{Body, Frame};
use http_body_util::BodyExt;

use super::answer::Answer;

/// How long nothing is said before a comment shows that the connection lives.
pub(crate) const QUIET_LIMIT: Duration = Duration::from_secs(15);

/// That comment.
pub(crate) const QUIET: &str = ": quiet\n\n";

/// Tells one piece of text after the other.
pub(crate) trait Teller: Send + Sized + 'static {
    /// The next piece and what tells the one after it; `None` at the end. Asked only when the peer
    /// has taken the piece before.
    fn next(self) -> impl Future<Output = Option<(String, Self)>> + Send;
}

/// The answer that `teller` tells.
pub(crate) fn event_stream(teller: impl Teller) -> Answer {
    let body = EventBody { next: Box::pin(teller.next()) };
    let mut answer = Response::new(body.boxed_unsync());
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// The next piece of text and what tells the one after it.
type Told<T> = Option<(String, T)>;

struct EventBody<T> {
    next: Pin<Box<dyn Future<Output = Told<T>> + Send>>,
}

impl<T: Teller> Body for EventBody<T> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some((text, teller)) = ready!(self.next.as_mut().poll(context)) else {
            self.next = Box::pin(std::future::ready(None));
            return Poll::Ready(None);
        };
        self.next = Box::pin(teller.next());
        Poll::Ready(Some(Ok(Frame::data(Bytes::from(text)))))
    }
}
