//! The records of a registry under their lock, and who is told when they change.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use authmesh_logic::Moment;
use authmesh_logic::discovery::registry::{Departure, Records, Refusal};
use tokio::sync::watch;

use super::keeper::Keeper;
use crate::clock::Clock;
use crate::discovery::{ServiceName, View};

/// What has happened, for the metrics; each number only grows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) registrations: u64,
    pub(super) heartbeats: u64,
    pub(super) deregistrations: u64,
    pub(super) decisions: u64,
    pub(super) refusals: u64,
    pub(super) ran_out: u64,
    pub(super) given_up: u64,
}

/// What the lock guards.
pub(super) struct State {
    pub(super) records: Records,
    pub(super) counts: Counts,
    /// One for each service that somebody waits for.
    signals: BTreeMap<ServiceName, watch::Sender<()>>,
}

/// What all handles of one registry share.
pub(super) struct Shared {
    state: Arc<Mutex<State>>,
    pub(super) keeper: Option<Keeper>,
}

impl State {
    pub(super) fn new(records: Records) -> Arc<Mutex<Self>> {
        let (counts, signals) = (Counts::default(), BTreeMap::new());
        Arc::new(Mutex::new(Self { records, counts, signals }))
    }

    /// How many wait for a change.
    pub(super) fn watchers(&self) -> usize {
        self.signals.values().map(watch::Sender::receiver_count).sum()
    }

    /// Lets everything happen that time has brought about, and tells who waits for it.
    fn settle(&mut self, now: Moment) {
        for departure in self.records.expire(now) {
            let (count, service) = match &departure {
                Departure::Missing(service, _) => (&mut self.counts.ran_out, service),
                Departure::GivenUp(service, _) => (&mut self.counts.given_up, service),
            };
            *count += 1;
            self.signal(service);
        }
    }

    fn signal(&self, service: &ServiceName) {
        if let Some(signal) = self.signals.get(service) {
            signal.send_replace(());
        }
    }
}

impl Shared {
    pub(super) const fn new(state: Arc<Mutex<State>>, keeper: Option<Keeper>) -> Self {
        Self { state, keeper }
    }

    /// Changes the records of `service`; counts, tells and has it saved.
    pub(super) fn change<T>(
        &self,
        service: &ServiceName,
        act: impl FnOnce(&mut Records, Moment) -> Result<T, Refusal>,
        count: impl FnOnce(&mut Counts) -> &mut u64,
    ) -> Result<T, Refusal> {
        let mut state = self.lock();
        let before = state.records.revision();
        let now = Clock.now();
        state.settle(now);
        let settled = state.records.revision();
        let result = act(&mut state.records, now);
        *match result {
            Ok(_) => count(&mut state.counts),
            Err(_) => &mut state.counts.refusals,
        } += 1;
        if state.records.revision() != settled {
            state.signal(service);
        }
        self.save_if(state.records.revision() != before);
        result
    }

    /// Looks at the records as they are now.
    pub(super) fn look<T>(&self, at: impl FnOnce(&State) -> T) -> T {
        let mut state = self.lock();
        let before = state.records.revision();
        state.settle(Clock.now());
        self.save_if(state.records.revision() != before);
        at(&state)
    }

    /// Waits until the revision of `service` is another than this.
    ///
    /// Whoever waits drives the leases: no task of the registry's own runs.
    pub(super) async fn changed(self: &Arc<Self>, service: &ServiceName, revision: u64) -> View {
        let mut subscription = Subscription::new(self, service);
        loop {
            // Marked as seen before the look, so that a change after it wakes the wait below.
            subscription.changes.borrow_and_update();
            let (view, due) = self.look(|state| {
                (state.records.changed_since(service, revision), state.records.next_expiry())
            });
            if let Some(view) = view {
                return view;
            }
            let expiry = async {
                match due {
                    Some(due) => tokio::time::sleep(due.since(Clock.now())).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = subscription.changes.changed() => {}
                () = expiry => {}
            }
        }
    }

    fn save_if(&self, changed: bool) {
        if let (true, Some(keeper)) = (changed, &self.keeper) {
            keeper.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

/// The lock on the records; a panic elsewhere is no reason to stop serving them.
pub(super) fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Somebody waits for a service; the last to leave takes the signal away.
struct Subscription {
    shared: Arc<Shared>,
    service: ServiceName,
    changes: watch::Receiver<()>,
}

impl Subscription {
    fn new(shared: &Arc<Shared>, service: &ServiceName) -> Self {
        let mut state = shared.lock();
        let changes = state.signals.entry(service.clone()).or_default().subscribe();
        drop(state);
        Self { shared: Arc::clone(shared), service: service.clone(), changes }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        let count = state.signals.get(&self.service).map(watch::Sender::receiver_count);
        // Its own receiver is dropped after this.
        if count == Some(1) {
            state.signals.remove(&self.service);
        }
    }
}
