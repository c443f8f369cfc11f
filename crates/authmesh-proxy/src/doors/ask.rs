//! What people ask of whoever runs the proxy: only that program knows the file and owns the end.

use http::StatusCode;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use super::answer::{Answer, json as answer_json};

/// Something a person asked at the admin door. The program that runs the proxy does it.
#[derive(Debug)]
#[non_exhaustive]
pub enum Ask {
    /// Read the file again and put it in force.
    Reload(Reply),
    /// Put this configuration in force: [`Proxy::put`](crate::Proxy::put) does it.
    Put(Push, Reply),
    /// Stop the proxy.
    Shutdown,
}

/// Where the end of a reload or put is told. Whoever asked is told of a failure if this is dropped.
#[derive(Debug)]
pub struct Reply(oneshot::Sender<Reloaded>);

/// A configuration that somebody brought.
#[derive(Clone, Debug)]
pub struct Push {
    /// The whole of it; it includes nothing.
    pub text: String,
    /// What it is called in problems.
    pub name: String,
    /// Who brought it and why, for the history.
    pub cause: String,
    /// The number of the version in whose place it is put.
    pub instead_of: u64,
    /// Whether it may protect less.
    pub takes_weaker: bool,
}

/// Why a reload was refused.
#[derive(Clone, Debug)]
pub struct ReloadFault {
    /// Why, as text.
    pub message: String,
    /// What is wrong with the file, one by one, as JSON; an empty array if it is not the file.
    pub problems: Value,
    /// The version in force, if it is another than the one that was to be replaced.
    in_force: Option<u64>,
}

/// How a reload or put ended: what it did, as JSON.
pub(crate) type Reloaded = Result<Value, ReloadFault>;

/// How many asks may wait; a further one is refused.
const MOST_ASKS: usize = 8;

/// Where asks are put.
#[derive(Clone)]
pub(crate) struct Asks(mpsc::Sender<Ask>);

impl Reply {
    /// Tells how it ended; what it did as JSON.
    pub fn tell(self, reloaded: Result<Value, ReloadFault>) {
        // Whoever asked may have left.
        let _ = self.0.send(reloaded);
    }
}

impl ReloadFault {
    /// The configuration was refused.
    #[must_use]
    pub const fn refused(message: String, problems: Value) -> Self {
        Self { message, problems, in_force: None }
    }

    /// Another configuration is in force than the one that was to be replaced.
    #[must_use]
    pub fn another_in_force(number: u64) -> Self {
        let message = format!("version {number} is in force, not the one this was made for");
        Self { message, problems: Value::Array(Vec::new()), in_force: Some(number) }
    }

    /// The answer to whoever asked.
    pub(crate) fn answer(&self) -> Answer {
        let (status, word) = match self.in_force {
            Some(_) => (StatusCode::PRECONDITION_FAILED, "another_in_force"),
            None => (StatusCode::UNPROCESSABLE_ENTITY, "refused"),
        };
        let refusal = json!({
            "error": word,
            "message": self.message,
            "problems": self.problems,
            "version": self.in_force,
        });
        answer_json(status, &refusal)
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

    /// Asks to put a configuration in force and waits for the end; `None` if nobody does it.
    pub(crate) async fn put(&self, push: Push) -> Option<Reloaded> {
        let (sender, put) = oneshot::channel();
        self.0.try_send(Ask::Put(push, Reply(sender))).ok()?;
        put.await.ok()
    }

    /// Asks for the end; false if nobody hears.
    pub(crate) fn shutdown(&self) -> bool {
        self.0.try_send(Ask::Shutdown).is_ok()
    }
}
