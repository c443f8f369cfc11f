//! Counts what a proxy is busy with; each count is zero, or back where it was, when there is nothing
//! to do.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use serde::Serialize;
use tokio::runtime::RuntimeMetrics;

/// What a proxy is busy with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Load {
    /// Connections of clients that are open.
    pub connections: usize,
    /// Requests of clients whose answer has not ended.
    pub requests: usize,
    /// Tasks of the workers: one for each listener of each worker, each connection of a client, each
    /// HTTP/2 stream in flight, and each connection to an instance that is not used by the requests of
    /// one client's connection at a time.
    pub tasks: usize,
}

/// The counts of all workers.
pub(crate) struct Busy {
    connections: AtomicUsize,
    workers: Box<[Arc<WorkerBusy>]>,
}

/// The counts of one worker, on a line of their own.
#[derive(Default)]
#[repr(align(128))]
pub(crate) struct WorkerBusy {
    requests: AtomicUsize,
    runtime: OnceLock<RuntimeMetrics>,
}

/// A connection's place among those that are allowed.
pub(crate) struct Place(Arc<Busy>);

impl Busy {
    pub(crate) fn new(workers: usize) -> Arc<Self> {
        let workers = (0..workers).map(|_| Arc::default()).collect();
        Arc::new(Self { connections: AtomicUsize::new(0), workers })
    }

    /// The counts of the worker with this number, if there is one.
    pub(crate) fn worker(&self, number: usize) -> Option<&Arc<WorkerBusy>> {
        self.workers.get(number)
    }

    /// Connections of all workers that are open now.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    pub(crate) fn load(&self) -> Load {
        let requests = self.workers.iter().map(|worker| worker.requests.load(Ordering::Relaxed));
        let runtimes = self.workers.iter().filter_map(|worker| worker.runtime.get());
        Load {
            connections: self.connections(),
            requests: requests.sum(),
            tasks: runtimes.map(RuntimeMetrics::num_alive_tasks).sum(),
        }
    }

    /// A place for one more connection, if fewer than `most` have one.
    pub(crate) fn place(self: &Arc<Self>, most: Option<u32>) -> Option<Place> {
        let place = Place(Arc::clone(self));
        let before = self.connections.fetch_add(1, Ordering::Relaxed);
        // Dropped if it is one too many, and so given back.
        most.is_none_or(|most| before < most as usize).then_some(place)
    }
}

impl WorkerBusy {
    /// Lets the tasks of this runtime be counted. Only the first runtime counts.
    pub(crate) fn count_tasks_of(&self, runtime: RuntimeMetrics) {
        let _ = self.runtime.set(runtime);
    }

    pub(crate) fn begin_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn end_request(&self) {
        self.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}
