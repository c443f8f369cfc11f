//! The task that keeps one provider's keys fresh.

use std::sync::Arc;

use tokio::task::AbortHandle;

use super::issuer::Issuer;
use super::source::bring;
use crate::clock::Clock;

/// Keeps the keys of a provider fresh until it is dropped.
pub(super) struct Keeper {
    pub(super) issuer: Arc<Issuer>,
    task: AbortHandle,
}

impl Keeper {
    /// Begins on the current runtime.
    pub(super) fn start(issuer: Issuer) -> Self {
        let issuer = Arc::new(issuer);
        let task = tokio::spawn(keep(Arc::clone(&issuer))).abort_handle();
        Self { issuer, task }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn keep(issuer: Arc<Issuer>) {
    loop {
        if issuer.begins() {
            let fetched = bring(&issuer.provider).await;
            // Keeping a copy waits for the disk.
            let taking = Arc::clone(&issuer);
            let taken = tokio::task::spawn_blocking(move || taking.take(fetched)).await;
            if taken.is_err() {
                // A panic was reported where it happened; the flight must end all the same.
                issuer.take(Err(super::FetchFault::Broken));
            }
            continue;
        }
        let now = Clock.now();
        tokio::select! {
            () = tokio::time::sleep(issuer.due(now).since(now)) => {}
            () = issuer.wanted.notified() => {}
        }
    }
}
