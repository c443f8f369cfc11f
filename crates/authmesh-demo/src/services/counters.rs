//! What the instances saw of each side.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::side::Side;

/// Counters all instances share.
#[derive(Default)]
pub(crate) struct Counters {
    sides: [SideCounters; 2],
}

/// What was seen of one side until now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Requests that arrived at an instance.
    pub(crate) arrivals: u64,
    /// Single-use tokens that were shown a second time.
    pub(crate) spent_twice: u64,
}

#[derive(Default)]
struct SideCounters {
    arrivals: AtomicU64,
    spent_twice: AtomicU64,
}

impl Counters {
    /// A request of this side arrived at an instance.
    pub(crate) fn arrived(&self, side: Side) {
        self.of(side).arrivals.fetch_add(1, Ordering::Relaxed);
    }

    /// This side showed a single-use token a second time.
    pub(crate) fn spent_twice(&self, side: Side) {
        self.of(side).spent_twice.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn seen(&self, side: Side) -> Seen {
        let counters = self.of(side);
        Seen {
            arrivals: counters.arrivals.load(Ordering::Relaxed),
            spent_twice: counters.spent_twice.load(Ordering::Relaxed),
        }
    }

    fn of(&self, side: Side) -> &SideCounters {
        let [mesh, naive] = &self.sides;
        match side {
            Side::Mesh => mesh,
            Side::Naive => naive,
        }
    }
}
