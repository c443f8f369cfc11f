//! The body of an answer: carries its attempt to the end, and the connection back to its pool.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body::{Body, Frame, SizeHint};

use crate::answer_body::AnswerBody;
use crate::attempt::Attempt;
use crate::clock::Clock;
use crate::error::{Error, ErrorKind};
use crate::judge;
use crate::transport::Lent;
use crate::tunnel::Tunnel;

/// The body of an answer.
///
/// Its attempt ends when it has ended, failed or been dropped; until then the attempt holds its
/// place in flight.
pub struct ResponseBody {
    incoming: AnswerBody,
    exchange: Option<Exchange>,
    tunnel: Option<Box<Tunnel>>,
}

struct Exchange {
    attempt: Attempt,
    lent: Lent,
}

/// A body that goes on longer than this is a stream: it gives its verdict then.
const LONGEST_ANSWER: Duration = Duration::from_secs(30);

impl ResponseBody {
    pub(crate) fn attach(
        mut response: Response<AnswerBody>,
        mut attempt: Attempt,
        lent: Lent,
    ) -> Response<Self> {
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            let tunnel = Some(Box::new(Tunnel::behind(&mut response, attempt)));
            return response.map(|incoming| Self { incoming, exchange: None, tunnel });
        }
        if is_stream(response.headers()) && !attempt.awaits_end() {
            attempt.succeed(Clock.now());
        }
        response.map(|incoming| {
            let exchange = Some(Exchange { attempt, lent });
            let mut body = Self { incoming, exchange, tunnel: None };
            if body.incoming.is_end_stream() {
                body.end_well();
            }
            body
        })
    }

    /// What is behind an answer with status 101: the connection, which speaks another protocol now.
    /// Dropped with the body it closes.
    pub fn take_tunnel(&mut self) -> Option<Tunnel> {
        self.tunnel.take().map(|tunnel| *tunnel)
    }

    fn end_well(&mut self) {
        let Some(Exchange { mut attempt, lent }) = self.exchange.take() else { return };
        let now = Clock.now();
        attempt.ended(None);
        attempt.end(lent, now);
    }

    fn end_badly(&mut self, fault: hyper::Error) -> Error {
        let error = Error::new(ErrorKind::UpstreamReset).because(fault);
        let Some(Exchange { mut attempt, .. }) = self.exchange.take() else { return error };
        attempt.fail(Clock.now());
        error.at(attempt.cell().transport.address())
    }

    /// A body that is still going has proved its endpoint by now.
    fn settle_long_answer(&mut self) {
        if let Some(Exchange { attempt, .. }) = &mut self.exchange
            && attempt.is_undecided()
        {
            let now = Clock.now();
            if now.since(attempt.began()) > LONGEST_ANSWER {
                attempt.succeed(now);
            }
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match ready!(Pin::new(&mut self.incoming).poll_frame(context)) {
            Some(Ok(frame)) => {
                if let (Some(trailers), Some(exchange)) = (frame.trailers_ref(), &mut self.exchange)
                {
                    exchange.attempt.ended(Some(trailers));
                }
                if self.incoming.is_end_stream() {
                    self.end_well();
                } else {
                    self.settle_long_answer();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(fault)) => Poll::Ready(Some(Err(self.end_badly(fault)))),
            None => {
                self.end_well();
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl std::fmt::Debug for ResponseBody {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("ResponseBody")
    }
}

/// Whether an answer of this type may go on for hours.
fn is_stream(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    content_type.is_some_and(|value| value.starts_with(b"text/event-stream"))
        || judge::is_grpc(headers)
}
