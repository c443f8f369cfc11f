//! Checks a set of instances, one task for each, and says what it concludes.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use authmesh_logic::Moment;
use authmesh_logic::health::{Change, Policy, Schedule, Traffic, Verdict};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinHandle;

use super::counters::{HealthCounters, HealthMetrics};
use super::record::{CheckRecord, InstanceHealth, Record};
use super::watch::Watch;
use crate::clock::Clock;
use crate::discovery::{Instance, InstanceId};
use crate::identity::{Pins, SpiffeId};

/// A verdict that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthChange {
    /// Whose.
    pub instance: InstanceId,
    /// What the checks conclude now.
    pub status: Verdict,
    /// Why, in a sentence for a person, as in `HTTP 503, expected 200-299`.
    pub reason: String,
    /// When.
    pub at: Moment,
}

/// Watches instances: checks each by one [`Policy`] and says when a verdict changes.
///
/// An instance is checked at its first address. Dropping the monitor ends every check.
pub struct HealthMonitor {
    policy: watch::Sender<Arc<Policy>>,
    /// Who the instances must prove to be.
    pins: Option<Pins>,
    watched: BTreeMap<InstanceId, Watched>,
    places: Arc<Semaphore>,
    counters: Arc<HealthCounters>,
    news: Arc<News>,
}

impl HealthMonitor {
    /// How many checks are remembered of each instance.
    pub const CHECKS_KEPT: usize = Record::CHECKS_KEPT;
    /// How many checks are under way at once; the others wait for a place.
    pub const PROBES_AT_ONCE: usize = 256;

    /// A monitor that watches nobody yet.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self::counting(policy, Arc::default())
    }

    /// The same, counting where others have counted before it.
    pub(crate) fn counting(policy: Policy, counters: Arc<HealthCounters>) -> Self {
        Self {
            policy: watch::Sender::new(Arc::new(policy)),
            pins: None,
            watched: BTreeMap::new(),
            places: Arc::new(Semaphore::new(Self::PROBES_AT_ONCE)),
            counters,
            news: Arc::default(),
        }
    }

    /// The same for instances that must prove who they are, by mutual TLS, before they are asked.
    pub(crate) fn pinned(self, pins: Pins) -> Self {
        Self { pins: Some(pins), ..self }
    }

    /// Watches these instances and no others.
    ///
    /// One that was watched before, in the same incarnation, at the same address and of the same
    /// identity, keeps its state; `traffic` is where the outcomes of its requests are recorded.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn set_instances(
        &mut self,
        instances: impl IntoIterator<Item = (Arc<Instance>, Arc<Traffic>)>,
    ) {
        let mut before = std::mem::take(&mut self.watched);
        let mut newcomers = Vec::new();
        for (instance, traffic) in instances {
            match before.remove(&instance.id) {
                Some(watched) if watched.is(&instance) => {
                    watched.watch.record().set_traffic(traffic);
                    self.watched.insert(instance.id.clone(), watched);
                }
                _ => newcomers.push((instance, traffic)),
            }
        }
        for (id, left) in before {
            drop(left);
            self.news.forget(&id);
        }
        let (count, now) = (newcomers.len(), Clock.now());
        let policy = Arc::clone(&self.policy.borrow());
        for (position, (instance, traffic)) in newcomers.into_iter().enumerate() {
            self.news.forget(&instance.id);
            let schedule = Schedule::first(&policy, position, count, now);
            let record = Record::new(&policy, schedule, traffic, now);
            if let Some(watched) = self.start(&instance, record) {
                self.watched.insert(instance.id.clone(), watched);
            }
        }
    }

    /// Checks by another policy from now on; what is known of the instances stays.
    pub fn set_policy(&mut self, policy: Policy) {
        self.policy.send_replace(Arc::new(policy));
    }

    /// Waits for a verdict to change.
    ///
    /// If one changed more than once since it was last told, the newest is told. Cancel-safe.
    pub async fn next(&mut self) -> HealthChange {
        loop {
            if let Some(change) = self.news.take() {
                return change;
            }
            self.news.told.notified().await;
        }
    }

    /// What is concluded of this instance; `None` if it is not watched.
    #[must_use]
    pub fn verdict(&self, id: &InstanceId) -> Option<Verdict> {
        self.watched.get(id).map(|watched| watched.watch.record().verdict())
    }

    /// The health of every instance, ordered by identifier.
    #[must_use]
    pub fn status(&self) -> Vec<InstanceHealth> {
        let health =
            |(id, watched): (&InstanceId, &Watched)| watched.watch.record().health(id.clone());
        self.watched.iter().map(health).collect()
    }

    /// The last checks of this instance, the newest last; at most [`Self::CHECKS_KEPT`].
    #[must_use]
    pub fn history(&self, id: &InstanceId) -> Vec<CheckRecord> {
        self.watched.get(id).map_or_else(Vec::new, |watched| {
            let record = watched.watch.record();
            record.checks().collect()
        })
    }

    /// What happened so far, and what is concluded now.
    #[must_use]
    pub fn metrics(&self) -> HealthMetrics {
        self.counters.metrics(self.watched.values().map(|watched| watched.watch.record().verdict()))
    }

    /// Starts the task of one instance; an instance without an address cannot be checked.
    fn start(&self, instance: &Instance, record: Record) -> Option<Watched> {
        let address = instance.addresses.first()?.clone();
        let pin = self.pins.as_ref().and_then(|pins| pins.of(instance.identity.as_ref()));
        let watch = Arc::new(Watch::new(instance.id.clone(), address, pin, record));
        let news = Arc::clone(&self.news);
        let task = tokio::spawn(Arc::clone(&watch).run(
            self.policy.subscribe(),
            Arc::clone(&self.places),
            Arc::clone(&self.counters),
            move |watch, change, reason| news.tell(watch, change, reason),
        ));
        let Instance { incarnation, identity, .. } = instance;
        Some(Watched { watch, incarnation: *incarnation, identity: identity.clone(), task })
    }
}

impl fmt::Debug for HealthMonitor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("HealthMonitor").field("metrics", &self.metrics()).finish()
    }
}

/// An instance under watch and its task, which ends with it.
struct Watched {
    watch: Arc<Watch>,
    incarnation: u64,
    identity: Option<SpiffeId>,
    task: JoinHandle<()>,
}

impl Watched {
    fn is(&self, instance: &Instance) -> bool {
        self.incarnation == instance.incarnation
            && self.identity == instance.identity
            && instance.addresses.first() == Some(&self.watch.address)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.watch.end();
        self.task.abort();
    }
}

/// The changes that were not told yet: the newest of each instance, so never more than instances.
#[derive(Default)]
struct News {
    changes: Mutex<BTreeMap<InstanceId, HealthChange>>,
    told: Notify,
}

impl News {
    fn tell(&self, watch: &Watch, change: Change, reason: String) {
        let instance = watch.id.clone();
        let mut changes = self.changes();
        // Asked under the lock: whoever ends a watch forgets its changes under the lock later.
        if !watch.has_ended() {
            let change = HealthChange {
                instance: instance.clone(),
                status: change.to,
                reason,
                at: change.at,
            };
            changes.insert(instance, change);
            self.told.notify_one();
        }
    }

    fn take(&self) -> Option<HealthChange> {
        self.changes().pop_first().map(|(_, change)| change)
    }

    fn forget(&self, id: &InstanceId) {
        self.changes().remove(id);
    }

    fn changes(&self) -> MutexGuard<'_, BTreeMap<InstanceId, HealthChange>> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
