//! What a worker's connections serve by, and the places they take.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio_rustls::rustls::ServerConfig;

use crate::table::Table;

/// What the connections of one worker serve by.
pub(crate) struct Serving {
    table: ArcSwap<Table>,
    /// Connections of all workers.
    connections: Arc<AtomicUsize>,
}

/// What all workers know of a listener.
pub(crate) struct ListenerShared {
    pub(crate) name: ArcSwap<Box<str>>,
    pub(crate) tls: ArcSwapOption<ServerConfig>,
}

/// A connection's place among those that are allowed.
pub(crate) struct Place(Arc<AtomicUsize>);

impl Serving {
    pub(crate) fn new(table: Table, connections: Arc<AtomicUsize>) -> Self {
        Self { table: ArcSwap::from_pointee(table), connections }
    }

    pub(crate) fn table(&self) -> Arc<Table> {
        self.table.load_full()
    }

    pub(crate) fn swap_table(&self, table: Table) {
        self.table.store(Arc::new(table));
    }

    /// Connections of all workers that are open now.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

impl Place {
    pub(crate) fn take(serving: &Serving) -> Option<Self> {
        let most = serving.table.load().limits.connections;
        let place = Self(Arc::clone(&serving.connections));
        let before = place.0.fetch_add(1, Ordering::Relaxed);
        // Dropped if it is one too many, and so given back.
        most.is_none_or(|most| before < most as usize).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
