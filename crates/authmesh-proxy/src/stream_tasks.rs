//! Runs each HTTP/2 stream in a task that ends when its client takes nothing of the answer for too
//! long.
//!
//! A client may go on reading its connection and yet give one stream no room. The stream's task then
//! waits for room and asks the body for nothing, so that nothing of ours is called: only who runs
//! the task can end it. HTTP/1 has no streams; there the connection as a whole stands still, which
//! its watch sees.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::rt::Executor;
use pin_project_lite::pin_project;
use tokio::task_local;
use tokio::time::{Sleep, sleep};

/// Runs the streams of one connection.
#[derive(Clone, Copy)]
pub(crate) struct StreamTasks {
    /// How long a client may take nothing; `None` is for ever.
    pub(crate) patience: Option<Duration>,
}

impl<S> Executor<S> for StreamTasks
where
    S: Future + Send + 'static,
    S::Output: Send + 'static,
{
    fn execute(&self, stream: S) {
        match self.patience {
            None => drop(tokio::spawn(stream)),
            Some(patience) => {
                let watched = Watched { stream, patience, asked: 0, timer: None };
                drop(tokio::spawn(ANSWER.scope(Answer::default(), watched)));
            }
        }
    }
}

/// Notes that the answer's body was asked by the stream of this task, and whether it gave something
/// that must be sent before it is asked again. On HTTP/1 there is no such task, and nothing is noted.
pub(crate) fn note_asked(has_given: bool) {
    let _ = ANSWER.try_with(|answer| {
        answer.asked.set(answer.asked.get().wrapping_add(1));
        answer.is_waited_for.set(has_given);
    });
}

task_local! {
    static ANSWER: Answer;
}

/// What the stream of this task knows of its answer's body.
#[derive(Default)]
struct Answer {
    /// How often it was asked.
    asked: Cell<u64>,
    /// Whether it has given something the client has not taken yet.
    is_waited_for: Cell<bool>,
}

pin_project! {
    /// A stream, and the timer that runs while its client takes nothing.
    struct Watched<S> {
        #[pin]
        stream: S,
        patience: Duration,
        // How often the body had been asked when the timer was started.
        asked: u64,
        timer: Option<Pin<Box<Sleep>>>,
    }
}

impl<S: Future> Future for Watched<S> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let me = self.project();
        if me.stream.poll(context).is_ready() {
            return Poll::Ready(());
        }
        let (asked, is_waited_for) =
            ANSWER.with(|answer| (answer.asked.get(), answer.is_waited_for.get()));
        if !is_waited_for {
            *me.timer = None;
            return Poll::Pending;
        }
        if *me.asked != asked {
            (*me.asked, *me.timer) = (asked, None);
        }
        let timer = me.timer.get_or_insert_with(|| Box::pin(sleep(*me.patience)));
        ready!(timer.as_mut().poll(context));
        tracing::debug!("a client took nothing of its answer for too long: its stream is reset");
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use tokio::sync::mpsc;
    use tokio::task::yield_now;
    use tokio::time::advance;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    /// When a body was asked, in seconds, and whether it gave something then.
    type Asked = &'static [(u64, bool)];

    /// Says when it is dropped.
    struct Told(Arc<AtomicBool>);

    impl Drop for Told {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    /// Runs a stream whose body is asked so and that then waits for ever; whether it has been ended
    /// so many seconds after its start.
    async fn is_ended(asked: Asked, after: u64) -> bool {
        let ended = Arc::new(AtomicBool::new(false));
        let told = Told(Arc::clone(&ended));
        let (ask, mut asks) = mpsc::unbounded_channel();
        StreamTasks { patience: Some(PATIENCE) }.execute(async move {
            let _told = told;
            while let Some(has_given) = asks.recv().await {
                note_asked(has_given);
            }
        });
        let mut past = 0;
        for (at, has_given) in asked {
            pass(at - past).await;
            past = *at;
            ask.send(*has_given).unwrap();
            pass(0).await;
        }
        pass(after - past).await;
        ended.load(Ordering::Relaxed)
    }

    /// Lets time pass, and then everybody do what is to be done.
    async fn pass(seconds: u64) {
        advance(Duration::from_secs(seconds)).await;
        yield_now().await;
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_client_that_takes_nothing_is_too_slow() {
        let cases: [(Asked, u64, bool); 6] = [
            (&[(0, true)], 29, false),
            (&[(0, true)], 31, true),
            (&[(0, true), (20, true)], 49, false),
            (&[(0, true), (20, true)], 51, true),
            // The service is slow, not the client.
            (&[(0, true), (20, false)], 1_000, false),
            (&[], 1_000, false),
        ];
        for (asked, after, wanted) in cases {
            assert_eq!(is_ended(asked, after).await, wanted, "{asked:?} after {after} s");
        }
    }
}
