//! The task that checks one instance, again and again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use authmesh_logic::health::{Change, CheckResult, Passive, Policy};
use tokio::sync::{Semaphore, watch};
use tokio::time::sleep;

use super::counters::HealthCounters;
use super::record::{CheckRecord, Record};
use super::{Evidence, probe};
use crate::clock::Clock;
use crate::discovery::{Address, InstanceId};
use crate::identity::Pin;

/// The shortest time between two looks at what requests say.
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);

/// One instance under watch, shared by its task and the monitor.
pub(super) struct Watch {
    pub(super) id: InstanceId,
    pub(super) address: Address,
    /// Who it must prove to be.
    pin: Option<Pin>,
    record: Mutex<Record>,
    /// It is watched no more: what its task still finds out concerns nobody.
    ended: AtomicBool,
}

impl Watch {
    pub(super) const fn new(
        id: InstanceId,
        address: Address,
        pin: Option<Pin>,
        record: Record,
    ) -> Self {
        Self { id, address, pin, record: Mutex::new(record), ended: AtomicBool::new(false) }
    }

    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Release);
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    pub(super) fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Checks the instance until the monitor is gone; `tell` hears of each change with its reason.
    pub(super) async fn run(
        self: Arc<Self>,
        mut policies: watch::Receiver<Arc<Policy>>,
        places: Arc<Semaphore>,
        counters: Arc<HealthCounters>,
        tell: impl Fn(&Self, Change, String),
    ) {
        loop {
            let policy = Arc::clone(&policies.borrow_and_update());
            tokio::select! {
                () = self.due(&policy) => {}
                changed = policies.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let policy = Arc::clone(&policies.borrow_and_update());
                    self.record().plan(&policy, Clock.now());
                    continue;
                }
            }
            let Some(check) = self.check(&policy, &places).await else { return };
            counters.check(&check.evidence);
            let (change, reason) = {
                let mut record = self.record();
                let change = record.observe(&policy, check, Clock.now());
                (change, record.reason().to_owned())
            };
            if let Some(change) = change {
                counters.change();
                tell(&self, change, reason);
            }
        }
    }

    /// Waits until the next check is due, or until requests fail so often that it cannot wait.
    async fn due(&self, policy: &Policy) {
        loop {
            let wait = {
                let record = self.record();
                let wait = record.due().since(Clock.now());
                if wait.is_zero() || record.is_alarming(policy) {
                    return;
                }
                wait
            };
            sleep(match policy.passive {
                Passive::Off => wait,
                Passive::On { .. } => wait.min(policy.failing_interval.max(SHORTEST_PAUSE)),
            })
            .await;
        }
    }

    /// Asks the requests first, and the instance itself only if they say nothing.
    async fn check(&self, policy: &Policy, places: &Semaphore) -> Option<CheckRecord> {
        let said: Option<CheckResult> = self.record().take_evidence(policy);
        if let Some(result) = said {
            let evidence = Evidence::of_traffic(result);
            return Some(CheckRecord { started: Clock.now(), took: Duration::ZERO, evidence });
        }
        // Waiting for a place is not the instance's fault: it is outside of the policy's time.
        let _place = places.acquire().await.ok()?;
        let started = Clock.now();
        let evidence = probe(policy, &self.address, self.pin.as_ref()).await;
        Some(CheckRecord { started, took: Clock.now().since(started), evidence })
    }
}
