//! The body of an answer: carries its attempt to the end, and the connection back to its pool.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body::{Body, Frame, SizeHint};

use crate::answer_body::AnswerBody;
use crate::attempt::Attempt;
use crate::error::{Error, ErrorKind};
use crate::exchange::Exchange;
use crate::judge;
use crate::transport::Lent;
use crate::tunnel::Tunnel;

/// The body of an answer.
///
/// Its attempt ends when it has ended, failed or been dropped; until then the attempt holds its
/// place in flight.
pub struct ResponseBody {
    incoming: AnswerBody,
    exchange: Option<(Exchange, Lent)>,
    tunnel: Option<Box<Tunnel>>,
}

impl ResponseBody {
    pub(crate) fn attach(
        (mut response, lent): (Response<AnswerBody>, Lent),
        attempt: Attempt,
    ) -> Response<Self> {
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            let tunnel = Some(Box::new(Tunnel::behind(&mut response, attempt)));
            drop(lent);
            return response.map(|incoming| Self { incoming, exchange: None, tunnel });
        }
        let answer = (response, lent);
        let exchange = Exchange::begin(attempt, judge::is_stream(&answer));
        let (response, lent) = answer;
        response.map(|incoming| {
            let exchange = Some((exchange, lent));
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
        if let Some((exchange, lent)) = self.exchange.take() {
            exchange.end_well(lent);
        }
    }

    fn end_badly(&mut self, fault: hyper::Error) -> Error {
        match self.exchange.take() {
            Some((exchange, _)) => exchange.end_badly(fault),
            None => Error::new(ErrorKind::UpstreamReset).because(fault),
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
                if let (Some(trailers), Some((exchange, _))) =
                    (frame.trailers_ref(), &mut self.exchange)
                {
                    exchange.attempt_mut().ended(Some(trailers));
                }
                if self.incoming.is_end_stream() {
                    self.end_well();
                } else if let Some((exchange, _)) = &mut self.exchange {
                    exchange.goes_on();
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
