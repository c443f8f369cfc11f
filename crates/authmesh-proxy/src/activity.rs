//! Closes a connection that is unused, too slow with a request's head, or takes nothing of an answer,
//! without a timer for each request.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use authmesh::worker::Clock;
use authmesh_logic::Moment;
use tokio::time::Sleep;

use crate::load::WorkerBusy;
use crate::rarely::Rarely;

/// What one connection is doing, noted by whoever sees it.
pub(crate) struct Activity {
    worker: Arc<WorkerBusy>,
    in_flight: AtomicU32,
    /// Since when nothing is in flight, in nanoseconds of the clock.
    idle_since: AtomicU64,
    /// Since when bytes of a head that is not whole have been coming, or [`NEVER`] or [`JUST_NOW`].
    head_since: AtomicU64,
    /// Since when the client has taken no byte that waits for it; 0 is never.
    stuck_since: AtomicU64,
    /// HTTP/2 says nothing by mere bytes: only its first head is timed.
    is_multiplexed: AtomicBool,
    /// Whether the connection is to end with the request in flight, or now.
    is_ending: AtomicBool,
}

/// No bytes of a head have come.
const NEVER: u64 = 0;
/// They came while the connection was last read, which nobody has dated yet.
const JUST_NOW: u64 = 1;

/// A request in flight on a connection.
pub(crate) struct InFlight(Arc<Activity>);

/// How long a connection may take.
#[derive(Clone, Copy)]
pub(crate) struct Patience {
    pub(crate) header: Option<Duration>,
    pub(crate) idle: Option<Duration>,
    /// How long a client may take nothing of what is sent to it.
    pub(crate) stuck: Option<Duration>,
}

impl Activity {
    /// Of a connection that this worker has just accepted.
    pub(crate) fn new(worker: Arc<WorkerBusy>) -> Arc<Self> {
        Arc::new(Self {
            worker,
            in_flight: AtomicU32::new(0),
            idle_since: AtomicU64::new(Clock.now().as_nanos()),
            head_since: AtomicU64::new(0),
            stuck_since: AtomicU64::new(0),
            is_multiplexed: AtomicBool::new(false),
            is_ending: AtomicBool::new(false),
        })
    }

    /// Notes that a request's head is whole.
    pub(crate) fn begin(self: &Arc<Self>, is_multiplexed: bool) -> InFlight {
        self.worker.begin_request();
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        self.head_since.store(NEVER, Ordering::Relaxed);
        if is_multiplexed {
            self.is_multiplexed.store(true, Ordering::Relaxed);
        }
        InFlight(Arc::clone(self))
    }

    /// Notes that bytes have come.
    pub(crate) fn note_bytes(&self) {
        if self.in_flight.load(Ordering::Relaxed) == 0
            && !self.is_multiplexed.load(Ordering::Relaxed)
            && self.head_since.load(Ordering::Relaxed) == NEVER
        {
            self.head_since.store(JUST_NOW, Ordering::Relaxed);
        }
    }

    /// Dates a head whose first bytes were just read and which is still not whole. Most heads come
    /// whole, and need no look at the clock.
    fn date_head(&self) {
        if self.head_since.load(Ordering::Relaxed) == JUST_NOW {
            self.head_since.store(Clock.now().as_nanos().max(JUST_NOW + 1), Ordering::Relaxed);
        }
    }

    /// Asks for the end of the connection: no request is taken after the one in flight.
    pub(crate) fn end_soon(&self) {
        self.is_ending.store(true, Ordering::Relaxed);
    }

    /// Whether the connection is to end.
    pub(crate) fn is_ending(&self) -> bool {
        self.is_ending.load(Ordering::Relaxed)
    }

    /// Notes that nothing more is taken from the client: what it may still do is end.
    pub(crate) fn give_up(&self) {
        self.head_since.store(Clock.now().as_nanos().max(1), Ordering::Relaxed);
    }

    /// Notes whether the client's side takes what is written.
    pub(crate) fn note_write<T>(&self, written: Poll<T>) -> Poll<T> {
        let stuck_since = self.stuck_since.load(Ordering::Relaxed);
        if written.is_ready() {
            if stuck_since > 0 {
                self.stuck_since.store(0, Ordering::Relaxed);
            }
        } else if stuck_since == 0 {
            self.stuck_since.store(Clock.now().as_nanos().max(1), Ordering::Relaxed);
        }
        written
    }

    /// When patience ends if nothing more happens.
    fn ends(&self, patience: Patience) -> Option<Moment> {
        let stuck_since = self.stuck_since.load(Ordering::Relaxed);
        let stuck = patience.stuck.filter(|_| stuck_since > 0);
        let stuck = stuck.map(|limit| Moment::from_nanos(stuck_since) + limit);
        let unused = self.unused_ends(patience);
        stuck.into_iter().chain(unused).min()
    }

    /// When patience with a client that asks for nothing ends; `None` while a request is in flight.
    fn unused_ends(&self, patience: Patience) -> Option<Moment> {
        if self.in_flight.load(Ordering::Relaxed) > 0 {
            return None;
        }
        let head_since = self.head_since.load(Ordering::Relaxed);
        if head_since > NEVER {
            return patience.header.map(|limit| Moment::from_nanos(head_since) + limit);
        }
        let idle_since = Moment::from_nanos(self.idle_since.load(Ordering::Relaxed));
        patience.idle.map(|limit| idle_since + limit)
    }
}

impl InFlight {
    /// Whether the connection carries several requests at a time.
    pub(crate) fn is_stream(&self) -> bool {
        self.0.is_multiplexed.load(Ordering::Relaxed)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.worker.end_request();
        if self.0.in_flight.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.0.idle_since.store(Clock.now().as_nanos(), Ordering::Relaxed);
        }
    }
}

/// Ends when patience with a connection ends. Polled after the connection itself, so that a whole
/// request that came in one piece never touches a timer.
pub(crate) struct Watch {
    activity: Arc<Activity>,
    patience: Patience,
    timer: Rarely<Pin<Box<Sleep>>>,
    armed: Moment,
}

/// How long a watch sleeps while a request is in flight and nothing can end.
const LONG: Duration = Duration::from_secs(60);

impl Watch {
    pub(crate) fn new(activity: Arc<Activity>, patience: Patience) -> Self {
        let now = Clock.now();
        let wait = activity.ends(patience).map_or(LONG, |end| end.since(now));
        let timer = Rarely::new(Box::pin(tokio::time::sleep(wait)));
        Self { activity, patience, timer, armed: now + wait }
    }
}

impl Future for Watch {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.activity.date_head();
        loop {
            let end = self.activity.ends(self.patience);
            // A flight of HTTP/1 ends while its connection is polled, which is before this is asked.
            if end.is_none() && !self.activity.is_multiplexed.load(Ordering::Relaxed) {
                return Poll::Pending;
            }
            let is_too_late = end.is_some_and(|end| end < self.armed);
            if !is_too_late && self.timer.poll(|timer| timer.is_elapsed(), context).is_pending() {
                return Poll::Pending;
            }
            let now = Clock.now();
            if end.is_some_and(|end| end <= now) {
                return Poll::Ready(());
            }
            let wait = end.map_or(LONG, |end| end.since(now));
            self.armed = now + wait;
            self.timer = Rarely::new(Box::pin(tokio::time::sleep(wait)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience {
        header: Some(Duration::from_secs(10)),
        idle: Some(Duration::from_secs(60)),
        stuck: Some(Duration::from_secs(30)),
    };

    /// When patience ends, in seconds from now.
    fn ends_in(activity: &Activity) -> Option<u64> {
        let end = activity.ends(PATIENCE)?;
        Some(end.since(Clock.now()).as_secs_f64().round() as u64)
    }

    #[test]
    fn each_thing_a_client_may_be_slow_with_has_its_patience() {
        let activity = Activity::new(Arc::default());
        assert_eq!(ends_in(&activity), Some(60), "unused");
        activity.note_bytes();
        assert_eq!(ends_in(&activity), Some(10), "in the middle of a head");
        let in_flight = activity.begin(false);
        assert_eq!(ends_in(&activity), None, "the service is at work");
        assert!(activity.note_write::<()>(Poll::Pending).is_pending());
        assert_eq!(ends_in(&activity), Some(30), "the client takes nothing");
        assert!(activity.note_write(Poll::Ready(())).is_ready());
        assert_eq!(ends_in(&activity), None, "it took something");
        drop(in_flight);
        assert_eq!(ends_in(&activity), Some(60), "unused again");
    }
}
