//! Asks a future whether it has ended only when it may have: for what nearly never ends, beside what
//! is polled all the time.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// A future that is polled only when it must be. Polling a timer or a channel takes its lock, even
/// if only to hear that nothing has happened.
pub(crate) struct Rarely<F> {
    future: F,
    /// Whom the future wakes.
    wakes: Option<Waker>,
}

impl<F: Future + Unpin> Rarely<F> {
    pub(crate) fn new(future: F) -> Self {
        Self { future, wakes: None }
    }

    /// Polls the future if it `may_have_ended`, or would wake somebody else than who asks.
    pub(crate) fn poll(
        &mut self,
        may_have_ended: impl FnOnce(&F) -> bool,
        context: &mut Context<'_>,
    ) -> Poll<F::Output> {
        let is_heard = self.wakes.as_ref().is_some_and(|own| own.will_wake(context.waker()));
        if is_heard && !may_have_ended(&self.future) {
            return Poll::Pending;
        }
        // Without budget a future of the runtime puts its caller off before it takes down whom to
        // wake.
        let is_taken_down = tokio::task::coop::has_budget_remaining();
        let polled = Pin::new(&mut self.future).poll(context);
        if polled.is_pending() && !is_heard {
            self.wakes = is_taken_down.then(|| context.waker().clone());
        }
        polled
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};
    use std::pin::pin;

    /// Counts its polls and never ends.
    struct Counting(u32);

    impl Future for Counting {
        type Output = ();

        fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
            self.0 += 1;
            Poll::Pending
        }
    }

    #[tokio::test]
    async fn it_is_polled_again_only_when_it_may_have_ended() {
        let mut rarely = Rarely::new(Counting(0));
        let mut asked = 0;
        std::future::poll_fn(|context| {
            for may_have_ended in [false, false, true, false] {
                assert!(rarely.poll(|_| may_have_ended, context).is_pending());
            }
            asked = rarely.future.0;
            Poll::Ready(())
        })
        .await;
        assert_eq!(asked, 2, "once to be heard, once because it may have ended");
    }

    #[tokio::test]
    async fn it_is_polled_for_whoever_else_asks() {
        let mut rarely = Rarely::new(Counting(0));
        let asked = std::future::poll_fn(|context| Poll::Ready(rarely.poll(|_| false, context)));
        assert!(asked.await.is_pending());
        let mut nobody = Context::from_waker(Waker::noop());
        assert!(rarely.poll(|_| false, &mut nobody).is_pending());
        assert_eq!(rarely.future.0, 2);
    }

    #[test]
    fn what_has_ended_is_told_at_once() {
        let mut nobody = Context::from_waker(Waker::noop());
        let mut never = pin!(pending::<()>());
        assert!(Rarely::new(never.as_mut()).poll(|_| true, &mut nobody).is_pending());
        assert!(Rarely::new(ready(7)).poll(|_| false, &mut nobody).is_ready());
    }
}
