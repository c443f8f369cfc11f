//! Bounds how long an exchange takes, by a timer that outlives it.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use authmesh_logic::Moment;
use tokio::time::Sleep;

use crate::clock::Clock;

/// The timer of one connection.
///
/// Nearly every exchange ends long before its time. A timer of its own would be entered into the
/// runtime's wheel and taken out again, both under its lock; this one stays where it is from
/// exchange to exchange. It is moved when it would ring too late, and, having rung too early for the
/// exchange of now, once more.
#[derive(Default)]
pub(super) struct ExchangeTimer(Option<Armed>);

struct Armed {
    timer: Pin<Box<Sleep>>,
    rings: Moment,
}

impl ExchangeTimer {
    /// What `exchange` ends with; `None` if it has not ended by `end`.
    pub(super) fn bound<'a, F: Future>(
        &'a mut self,
        end: Moment,
        exchange: Pin<&'a mut F>,
    ) -> Bound<'a, F> {
        Bound { timer: self, end, exchange }
    }

    /// The timer, ringing at `end` or before.
    fn armed(&mut self, end: Moment) -> &mut Armed {
        let armed = self.0.take().filter(|armed| armed.rings <= end);
        self.0.insert(armed.unwrap_or_else(|| Armed {
            timer: Box::pin(tokio::time::sleep(end.since(Clock.now()))),
            rings: end,
        }))
    }
}

/// An exchange and its end.
pub(super) struct Bound<'a, F> {
    timer: &'a mut ExchangeTimer,
    end: Moment,
    exchange: Pin<&'a mut F>,
}

impl<F: Future> Future for Bound<'_, F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(output) = self.exchange.as_mut().poll(context) {
            return Poll::Ready(Some(output));
        }
        let end = self.end;
        loop {
            let armed = self.timer.armed(end);
            if armed.timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            let is_over = armed.rings == end;
            self.timer.0 = None;
            if is_over {
                return Poll::Ready(None);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;
    use std::pin::pin;
    use std::time::Duration;

    use tokio::time::timeout;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn an_exchange_is_ended_at_its_end_by_whatever_timer_there_is() {
        let mut timer = ExchangeTimer::default();
        let end = Clock.now() + 3 * SECOND;
        assert_eq!(timer.bound(end, pin!(async { 7 })).await, Some(7));
        let slow = timeout(SECOND, pending::<()>());
        assert!(timer.bound(end, pin!(slow)).await.is_some(), "leaves a timer behind");
        for time in [10 * SECOND, SECOND, 5 * SECOND, SECOND] {
            let end = Clock.now() + time;
            let mut never = pin!(pending::<()>());
            let early = timer.bound(end, never.as_mut());
            assert!(timeout(time - SECOND / 2, early).await.is_err(), "{time:?} is cut short");
            // The runtime's clock jumps and the mesh's own does not, so a timer that is moved is
            // moved too far here; it still ends.
            let late = timer.bound(end, never.as_mut());
            assert_eq!(timeout(3 * time, late).await, Ok(None), "{time:?} has no end");
        }
    }
}
