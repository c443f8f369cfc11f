//! Says when a file should be read again: after its directory changed, or after a while.

use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tokio::time::{Sleep, sleep};

/// Rings after a change in a directory has settled, and after `interval` without one.
pub(crate) struct Alarm {
    directory: PathBuf,
    interval: Duration,
    settle_time: Duration,
    changed: Arc<Notify>,
    watcher: Option<RecommendedWatcher>,
    // The waits live here and not in the future, so that dropping the future does not begin anew.
    settling: Option<Pin<Box<Sleep>>>,
    polling: Option<Pin<Box<Sleep>>>,
}

impl Alarm {
    pub(crate) fn new(directory: PathBuf, interval: Duration, settle_time: Duration) -> Self {
        Self {
            directory,
            interval,
            settle_time,
            changed: Arc::default(),
            watcher: None,
            settling: None,
            polling: None,
        }
    }

    /// Watches the directory, if it can be watched.
    ///
    /// Called before each reading: a directory that was removed and made again is a new one to the
    /// operating system, and watching twice what is watched changes nothing.
    pub(crate) fn arm(&mut self) {
        if self.watcher.is_none() {
            let changed = Arc::clone(&self.changed);
            let tell = move |event: notify::Result<Event>| {
                if event.map_or(true, |event| is_change(event.kind)) {
                    changed.notify_one();
                }
            };
            self.watcher = notify::recommended_watcher(tell).ok();
        }
        let Some(watcher) = &mut self.watcher else { return };
        if let Err(fault) = watcher.watch(&self.directory, RecursiveMode::NonRecursive) {
            // Polling goes on, and tries again.
            tracing::debug!(directory = %self.directory.display(), %fault, "cannot be watched");
        }
    }

    /// Waits until it is time to read. Cancel-safe.
    pub(crate) async fn rings(&mut self) {
        let polling = self.polling.get_or_insert_with(|| Box::pin(sleep(self.interval)));
        if self.settling.is_none() {
            tokio::select! {
                () = self.changed.notified() => {
                    self.settling = Some(Box::pin(sleep(self.settle_time)));
                }
                () = polling => {}
            }
        }
        if let Some(settling) = &mut self.settling {
            settling.await;
        }
        self.settling = None;
        self.polling = None;
    }
}

impl fmt::Debug for Alarm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Alarm").field("directory", &self.directory).finish_non_exhaustive()
    }
}

/// Whether the event may have changed a file; reading it, which we do ourselves, does not.
fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(AccessKind::Close(mode)) => mode == AccessMode::Write,
        EventKind::Access(_) => false,
        _ => true,
    }
}
