//! What people ask of whoever runs the proxy: only that program knows the file and owns the end.

use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

/// Something a person asked at the admin door. The program that runs the proxy does it.
#[derive(Debug)]
#[non_exhaustive]
pub enum Ask {
    /// Read the file again and put it in force.
    Reload(Reply),
    /// Stop the proxy.
    Shutdown,
}

/// Where the end of a reload is told. Whoever asked is told of a failure if this is dropped.
#[derive(Debug)]
pub struct Reply(oneshot::Sender<Reloaded>);

/// Why a reload was refused.
#[derive(Clone, Debug)]
pub struct ReloadFault {
    /// Why, as text.
    pub message: String,
    /// What is wrong with the file, one by one, as JSON; an empty array if it is not the file.
    pub problems: Value,
}

/// How a reload ended.
pub(crate) type Reloaded = Result<(), ReloadFault>;

/// How many asks may wait; a further one is refused.
const MOST_ASKS: usize = 8;

/// Where asks are put.
#[derive(Clone)]
pub(crate) struct Asks(mpsc::Sender<Ask>);

impl Reply {
    /// Tells how the reload ended.
    pub fn tell(self, reloaded: Result<(), ReloadFault>) {
        // Whoever asked may have left.
        let _ = self.0.send(reloaded);
    }
}

impl Asks {
    pub(crate) fn channel() -> (Self, mpsc::Receiver<Ask>) {
        let (sender, receiver) = mpsc::channel(MOST_ASKS);
        (Self(sender), receiver)
    }

    /// Asks for a reload and waits for its end; `None` if nobody does it.
    pub(crate) async fn reload(&self) -> Option<Reloaded> {
        let (sender, reloaded) = oneshot::channel();
        self.0.try_send(Ask::Reload(Reply(sender))).ok()?;
        reloaded.await.ok()
    }

    /// Asks for the end; false if nobody hears.
    pub(crate) fn shutdown(&self) -> bool {
        self.0.try_send(Ask::Shutdown).is_ok()
    }
}
