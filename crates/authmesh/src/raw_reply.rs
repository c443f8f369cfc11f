//! An answer as bytes, with its attempt inside.

use std::task::{Context, Poll, ready};

use authmesh_logic::framing::BodyEnd;

use crate::attempt::Attempt;
use crate::error::Error;
use crate::exchange::Exchange;
use crate::judge;
use crate::raw_head::RawFields;
use crate::transport::{Lent, Progress, RawAnswer};

/// An answer in HTTP/1.1, its body still to come.
///
/// Its attempt ends when the body has ended, failed or been dropped; until then the attempt holds its
/// place in flight.
pub struct RawReply(Option<(RawAnswer, Exchange)>);

impl RawReply {
    pub(crate) fn attach(answer: RawAnswer, attempt: Attempt) -> Self {
        let exchange = Exchange::begin(attempt, judge::is_stream(&answer));
        Self(Some((answer, exchange)))
    }

    /// The status; 0 once the body has ended.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.0.as_ref().map_or(0, |(answer, _)| answer.status())
    }

    /// The reason phrase; empty once the body has ended.
    #[must_use]
    pub fn reason(&self) -> &[u8] {
        self.0.as_ref().map_or(&[], |(answer, _)| answer.reason())
    }

    /// The fields; none once the body has ended.
    #[must_use]
    pub fn fields(&self) -> RawFields<'_> {
        self.0.as_ref().map_or_else(RawFields::default, |(answer, _)| answer.fields())
    }

    /// Where the body ends.
    #[must_use]
    pub fn body_end(&self) -> BodyEnd {
        self.0.as_ref().map_or(BodyEnd::Length(0), |(answer, _)| answer.body_end())
    }

    /// Hands what has come of the body to `take`, piece by piece, without what frames it.
    ///
    /// # Errors
    ///
    /// When the body broke off.
    pub fn poll_body(
        &mut self,
        context: &mut Context<'_>,
        take: &mut dyn FnMut(&mut Context<'_>, &[u8]),
    ) -> Poll<Result<Progress, Error>> {
        let Some((answer, exchange)) = &mut self.0 else { return Poll::Ready(Ok(Progress::Ended)) };
        let progress = ready!(answer.poll_body(context, take));
        if let Ok(Progress::More) = progress {
            exchange.goes_on();
            return Poll::Ready(Ok(Progress::More));
        }
        let Some((answer, exchange)) = self.0.take() else {
            return Poll::Ready(Ok(Progress::Ended));
        };
        if let Err(fault) = progress {
            return Poll::Ready(Err(exchange.end_badly(fault)));
        }
        exchange.end_well(answer.into_connection().map_or(Lent::Nothing, Lent::Raw));
        Poll::Ready(Ok(Progress::Ended))
    }
}

impl std::fmt::Debug for RawReply {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("RawReply")
    }
}
