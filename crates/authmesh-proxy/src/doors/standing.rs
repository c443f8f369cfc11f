//! What the doors know of the proxy around them, beside its mesh.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use authmesh::Mesh;
use authmesh::worker::Clock;
use authmesh_logic::discovery::Address;
use serde::Serialize;

use super::ask::Asks;
use super::in_force::InForce;
use super::time_text::time_text;
use crate::load::{Busy, Load};
use crate::refusals::Refusals;
use crate::step::Step;

/// What the doors know of the proxy.
pub(crate) struct Standing {
    pub(crate) mesh: Mesh,
    pub(crate) asks: Asks,
    pub(crate) in_force: InForce,
    pub(crate) since: SystemTime,
    busy: Arc<Busy>,
    pub(crate) refusals: Arc<Refusals>,
    reload_failures: AtomicU64,
    moving: Mutex<Moving>,
}

/// Where a proxy is between its start and its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It takes this step of its start.
    Starting(Step),
    /// It takes requests.
    Serving,
    /// It finishes the requests it has.
    Draining,
}

/// How the last reload ended.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct LastReload {
    /// When.
    pub(crate) at: String,
    /// Whether the new configuration is in force.
    pub(crate) ok: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

struct Moving {
    phase: (Phase, SystemTime),
    listeners: BTreeMap<String, Address>,
    doors: BTreeMap<&'static str, Address>,
    last_reload: Option<LastReload>,
}

impl Standing {
    pub(crate) fn new(mesh: Mesh, asks: Asks, busy: Arc<Busy>, refusals: Arc<Refusals>) -> Self {
        let since = Clock.time_of_day();
        let moving = Moving {
            phase: (Phase::Starting(Step::Doors), since),
            listeners: BTreeMap::new(),
            doors: BTreeMap::new(),
            last_reload: None,
        };
        let reload_failures = AtomicU64::new(0);
        let (in_force, moving) = (InForce::new(), Mutex::new(moving));
        Self { mesh, asks, in_force, since, busy, refusals, reload_failures, moving }
    }

    /// Where the proxy is in its life, and since when.
    pub(crate) fn phase(&self) -> (Phase, SystemTime) {
        self.moving().phase
    }

    pub(crate) fn enter(&self, phase: Phase) {
        self.moving().phase = (phase, Clock.time_of_day());
    }

    /// Where each listener listens, by name.
    pub(crate) fn listeners(&self) -> BTreeMap<String, Address> {
        self.moving().listeners.clone()
    }

    pub(crate) fn set_listeners(&self, listeners: BTreeMap<String, Address>) {
        self.moving().listeners = listeners;
    }

    /// Where each door listens, by name.
    pub(crate) fn doors(&self) -> BTreeMap<&'static str, Address> {
        self.moving().doors.clone()
    }

    pub(crate) fn set_doors(&self, doors: BTreeMap<&'static str, Address>) {
        self.moving().doors = doors;
    }

    pub(crate) fn last_reload(&self) -> Option<LastReload> {
        self.moving().last_reload.clone()
    }

    /// How many reloads were refused.
    pub(crate) fn reload_failures(&self) -> u64 {
        self.reload_failures.load(Ordering::Relaxed)
    }

    /// Notes how a reload ended.
    pub(crate) fn reloaded(&self, error: Option<String>) {
        if error.is_some() {
            self.reload_failures.fetch_add(1, Ordering::Relaxed);
        }
        let at = time_text(Clock.time_of_day());
        self.moving().last_reload = Some(LastReload { at, ok: error.is_none(), error });
    }

    /// What the proxy is busy with.
    pub(crate) fn load(&self) -> Load {
        self.busy.load()
    }

    fn moving(&self) -> MutexGuard<'_, Moving> {
        self.moving.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
