//! What can be wrong with an instance, and the switch that makes it so.

use std::time::Duration;

use tokio::sync::watch;

/// What is wrong with an instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing.
    #[default]
    None,
    /// Its socket is closed and its connections are gone, as after a kill.
    Dead,
    /// It stands still, as a stopped process: the system accepts connections and keeps what they
    /// say, and the instance reads all of it once it goes on.
    Frozen,
    /// It does its work, and holds each answer back.
    Slow,
    /// It does its work, and answers a third of the time with a 500.
    Errors,
    /// It leaves in good order: finishes what it began, then closes its socket.
    Leaving,
}

/// How long a slow instance holds an answer back.
pub(crate) const SLOW_ANSWER: Duration = Duration::from_millis(1_500);

impl Fault {
    /// Whether the socket is closed.
    pub(crate) const fn is_down(self) -> bool {
        matches!(self, Self::Dead | Self::Leaving)
    }
}

/// Watches what is wrong with an instance.
#[derive(Clone)]
pub(crate) struct FaultWatch(watch::Receiver<Fault>);

impl FaultWatch {
    pub(crate) fn new(receiver: watch::Receiver<Fault>) -> Self {
        Self(receiver)
    }

    pub(crate) fn now(&self) -> Fault {
        *self.0.borrow()
    }

    /// Waits until what is wrong is so. An instance nobody can switch any more has no fault.
    pub(crate) async fn until(&mut self, is_so: impl FnMut(&Fault) -> bool) -> Fault {
        self.0.wait_for(is_so).await.map_or(Fault::None, |fault| *fault)
    }
}
