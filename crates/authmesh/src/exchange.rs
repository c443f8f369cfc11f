//! An attempt whose answer has begun: it ends when the answer's body does.

use std::time::Duration;

use crate::attempt::Attempt;
use crate::clock::Clock;
use crate::error::{BoxError, Error, ErrorKind};
use crate::transport::Lent;

/// An attempt until the body of its answer has ended, failed or been dropped; until then it holds its
/// place in flight.
pub(crate) struct Exchange(Attempt);

/// A body that goes on longer than this is a stream: it gives its verdict then.
const LONGEST_ANSWER: Duration = Duration::from_secs(30);

impl Exchange {
    /// `is_stream`: the body may go on for hours, so the head has the last word.
    pub(crate) fn begin(mut attempt: Attempt, is_stream: bool) -> Self {
        if is_stream && !attempt.awaits_end() {
            attempt.succeed(Clock.now());
        }
        Self(attempt)
    }

    /// The attempt, to be told how its answer ends.
    pub(crate) fn attempt_mut(&mut self) -> &mut Attempt {
        &mut self.0
    }

    /// More of the body has come. One that is still going has proved its endpoint by now.
    pub(crate) fn goes_on(&mut self) {
        if self.0.is_undecided() {
            let now = Clock.now();
            if now.since(self.0.began()) > LONGEST_ANSWER {
                self.0.succeed(now);
            }
        }
    }

    /// The body broke off.
    pub(crate) fn end_badly(mut self, fault: impl Into<BoxError>) -> Error {
        self.0.fail(Clock.now());
        Error::new(ErrorKind::UpstreamReset).because(fault).at(self.0.cell().transport.address())
    }

    /// The body has ended, and its connection may carry another request.
    pub(crate) fn end_well(mut self, lent: Lent) {
        let now = Clock.now();
        self.0.ended(None);
        self.0.end(lent, now);
    }
}
