//! What a worker's connections serve by.

use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption, Guard};
use tokio::sync::watch;

use crate::load::{Busy, Place, WorkerBusy};
use crate::table::Table;
use crate::tls::ListenerTls;

/// What the connections of one worker serve by.
pub(crate) struct Serving {
    table: ArcSwap<Table>,
    /// Told of each swap of the table.
    changes: watch::Sender<()>,
    busy: Arc<Busy>,
    /// This worker's part of it.
    pub(crate) own: Arc<WorkerBusy>,
}

/// What all workers know of a listener.
pub(crate) struct ListenerShared {
    pub(crate) name: ArcSwap<Box<str>>,
    pub(crate) tls: ArcSwapOption<ListenerTls>,
    /// `None` on a Unix socket.
    pub(crate) port: Option<u16>,
}

impl Serving {
    /// What the worker with this number serves by.
    pub(crate) fn new(table: Table, busy: Arc<Busy>, number: usize) -> Self {
        let own = busy.worker(number).map(Arc::clone).unwrap_or_default();
        let changes = watch::Sender::new(());
        Self { table: ArcSwap::from_pointee(table), changes, busy, own }
    }

    /// Hears of each table from now on.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// The table of this moment. Not to be held across a wait.
    pub(crate) fn table(&self) -> Guard<Arc<Table>> {
        self.table.load()
    }

    pub(crate) fn swap_table(&self, table: Table) {
        self.table.store(Arc::new(table));
        self.changes.send_replace(());
    }

    /// Connections of all workers that are open now.
    pub(crate) fn connections(&self) -> usize {
        self.busy.connections()
    }

    /// A place for one more connection, if `limits.connections` leaves one.
    pub(crate) fn place(&self) -> Option<Place> {
        self.busy.place(self.table.load().limits.connections)
    }
}
