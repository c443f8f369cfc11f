//! The update lane: what sources and checks say becomes a roster, posted in one swap.
//!
//! ```text
//! source → membership → health → eligibility → roster (generation n + 1) → one swap
//! ```
//!
//! One task drives each service and is the only writer of its roster.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use authmesh_logic::discovery::{Instance, InstanceId, Update, View};
use authmesh_logic::eligibility::{self, Eligibility, Facts};
use authmesh_logic::outlier::{Change, ChangeKind};
use authmesh_logic::{Moment, health};
use tokio::sync::{mpsc, watch};

use crate::clock::Clock;
use crate::discovery::Source;
use crate::endpoint::{Endpoint, EndpointCell};
use crate::health::{HealthChange, HealthMonitor};
use crate::outliers::{Ejection, Outliers};
use crate::roster::{Roster, ServicePolicy};
use crate::service::Service;
use crate::telemetry::EventKind;

/// What a driver may be told to do differently.
pub(crate) struct Order {
    pub(crate) policy: Arc<ServicePolicy>,
    pub(crate) health: Option<health::Policy>,
    /// A new source; the old one goes on if `None`.
    pub(crate) source: Option<Box<dyn Source>>,
}

/// What the update lane knows of a service, for people to see.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServiceState {
    /// Whether the source has said anything yet.
    pub(crate) is_known: bool,
    pub(crate) revision: u64,
    pub(crate) generation: u64,
    pub(crate) panic: bool,
    /// Since when no instance may take requests.
    pub(crate) unroutable_since: Option<Moment>,
    /// Since when and why the source is not reached.
    pub(crate) lost: Option<(Moment, String)>,
    pub(crate) members: Vec<MemberState>,
}

/// What the update lane knows of one instance.
#[derive(Clone)]
pub(crate) struct MemberState {
    pub(crate) endpoint: Endpoint,
    pub(crate) eligibility: Eligibility,
    pub(crate) health: MemberHealth,
    /// Why and for how long it is out because its outcomes stand out, if it is.
    pub(crate) ejection: Option<Ejection>,
}

/// What checks concluded of an instance.
#[derive(Clone, Debug)]
pub(crate) struct MemberHealth {
    pub(crate) status: health::Verdict,
    pub(crate) since: Moment,
    pub(crate) reason: String,
}

/// A running driver. It ends when this is dropped.
pub(crate) struct Driving {
    pub(crate) orders: mpsc::Sender<Order>,
    pub(crate) state: watch::Receiver<ServiceState>,
}

/// How many orders may wait for a driver.
const MOST_ORDERS: usize = 16;

/// How often unused connections are looked at.
const SWEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Starts the driver of a service on the current runtime.
pub(crate) fn drive(service: Arc<Service>, first: Order, source: Box<dyn Source>) -> Driving {
    let (orders, receiver) = mpsc::channel(MOST_ORDERS);
    let unroutable_since = Some(Clock.now());
    let first_state = ServiceState { unroutable_since, ..ServiceState::default() };
    let (publisher, state) = watch::channel(first_state.clone());
    let driver = Driver {
        monitor: monitor(&service, first.health, &first.policy),
        outliers: Outliers::new(first.policy.outlier, Arc::clone(&service.outliers)),
        service,
        policy: first.policy,
        source,
        members: BTreeMap::new(),
        state: first_state,
        publisher,
    };
    tokio::spawn(driver.run(receiver));
    Driving { orders, state }
}

struct Driver {
    service: Arc<Service>,
    policy: Arc<ServicePolicy>,
    source: Box<dyn Source>,
    monitor: Option<HealthMonitor>,
    outliers: Outliers,
    members: BTreeMap<InstanceId, MemberState>,
    state: ServiceState,
    publisher: watch::Sender<ServiceState>,
}

impl Driver {
    async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        let mut sweep = tokio::time::interval(SWEEP_INTERVAL);
        loop {
            tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => self.obey(order),
                    None => return,
                },
                update = self.source.next() => self.update(update),
                change = next_change(&mut self.monitor) => self.hear(change),
                due = self.outliers.due() => {
                    let changes = self.outliers.decide(due, self.monitor.as_ref());
                    if changes.is_empty() {
                        continue;
                    }
                    self.note_outliers(changes);
                }
                _ = sweep.tick() => {
                    self.sweep();
                    continue;
                }
            }
            self.post();
        }
    }

    fn obey(&mut self, order: Order) {
        let old = std::mem::replace(&mut self.policy, order.policy);
        if !self.policy.breaker.keeps_windows_of(&old.breaker) {
            self.service.resize_breakers(&self.policy.breaker);
        }
        if old.admission != self.policy.admission {
            self.service.admit_by(self.policy.admission);
        }
        let is_reshaped = !self.policy.endpoint_breaker.keeps_windows_of(&old.endpoint_breaker)
            || old.protocol != self.policy.protocol
            || old.pins != self.policy.pins;
        if is_reshaped {
            for member in self.members.values_mut() {
                let cell = new_cell(&self.service, &self.policy, &member.endpoint.instance);
                member.endpoint.cell = Arc::new(cell.succeeding(
                    &member.endpoint.cell,
                    &self.policy.endpoint_breaker,
                    self.service.lanes,
                ));
                member.ejection = None;
            }
        }
        let returned = self.outliers.set_policy(self.policy.outlier);
        self.note_outliers(returned);
        if let Some(source) = order.source {
            self.source = source;
        }
        match (&mut self.monitor, order.health) {
            // What was concluded of the instances stays.
            (Some(monitor), Some(policy)) if !is_reshaped => monitor.set_policy(policy),
            (_, policy) => {
                self.monitor = monitor(&self.service, policy, &self.policy);
                for member in self.members.values_mut() {
                    member.health = MemberHealth::unknown();
                }
                self.watch_members();
            }
        }
    }

    fn update(&mut self, update: Update) {
        match update {
            Update::View(view) => {
                if self.state.lost.take().is_some() {
                    self.tell(EventKind::SourceFound);
                }
                self.state.is_known = true;
                self.state.revision = view.revision;
                self.join_and_leave(view);
            }
            Update::Lost { reason } => {
                let since = self.state.lost.as_ref().map_or_else(|| Clock.now(), |lost| lost.0);
                self.tell(EventKind::SourceLost { reason: reason.clone() });
                self.state.lost = Some((since, reason));
            }
        }
    }

    fn join_and_leave(&mut self, view: View) {
        let mut before = std::mem::take(&mut self.members);
        for instance in view.instances {
            let Some(address) = instance.addresses.first() else { continue };
            let survivor = before.remove(&instance.id).filter(|member| {
                member.endpoint.cell.transport.address() == address
                    && member.endpoint.instance.incarnation == instance.incarnation
                    && member.endpoint.instance.identity == instance.identity
            });
            let id = instance.id.clone();
            let member = if let Some(mut member) = survivor {
                member.endpoint.instance = instance;
                member
            } else {
                self.tell(EventKind::Joined(id.clone()));
                let cell = Arc::new(new_cell(&self.service, &self.policy, &instance));
                MemberState {
                    endpoint: Endpoint { instance, cell },
                    eligibility: Eligibility::Routable,
                    health: MemberHealth::unknown(),
                    ejection: None,
                }
            };
            self.members.insert(id, member);
        }
        for id in before.into_keys() {
            self.tell(EventKind::Left(id));
        }
        self.watch_members();
    }

    /// Takes note of who is out now, and who is in again.
    fn note_outliers(&mut self, changes: Vec<Change<InstanceId>>) {
        for Change { key: instance, kind } in changes {
            let Some(member) = self.members.get_mut(&instance) else { continue };
            let kind = match kind {
                ChangeKind::Ejected { cause, lasts } => {
                    self.service.ejections[cause as usize].fetch_add(1, Ordering::Relaxed);
                    member.ejection = Some(Ejection { cause, at: Clock.now(), lasts });
                    EventKind::Ejected { instance, cause, lasts }
                }
                ChangeKind::Spared(cause) => EventKind::Spared { instance, cause },
                ChangeKind::Returned => {
                    member.ejection = None;
                    EventKind::Returned(instance)
                }
            };
            self.tell(kind);
        }
    }

    fn watch_members(&mut self) {
        let tallies = self
            .members
            .iter()
            .map(|(id, member)| (id.clone(), Arc::clone(&member.endpoint.cell.tally)));
        self.outliers.set_members(tallies);
        if let Some(monitor) = &mut self.monitor {
            let members = self.members.values().map(|member| {
                let Endpoint { instance, cell } = &member.endpoint;
                (Arc::clone(instance), Arc::clone(&cell.traffic))
            });
            monitor.set_instances(members);
        }
    }

    fn hear(&mut self, change: HealthChange) {
        let Some(member) = self.members.get_mut(&change.instance) else { return };
        member.health =
            MemberHealth { status: change.status, since: change.at, reason: change.reason.clone() };
        self.tell(EventKind::Health {
            instance: change.instance,
            status: change.status,
            reason: change.reason,
        });
    }

    /// Settles who may take requests and posts the next roster.
    fn post(&mut self) {
        let facts: Vec<Facts> = self.members.values().map(MemberState::facts).collect();
        let settled = eligibility::settle(&facts);
        for (member, facts) in self.members.values_mut().zip(&facts) {
            member.eligibility = eligibility::judge(facts);
        }
        let members: Vec<MemberState> = self.members.values().cloned().collect();
        let endpoints =
            settled.routable.iter().map(|&index| members[index].endpoint.clone()).collect();

        let panic = settled.mode == eligibility::Mode::Panic;
        if panic != self.state.panic {
            self.tell(if panic { EventKind::PanicBegan } else { EventKind::PanicEnded });
        }
        self.state.panic = panic;
        self.state.unroutable_since = match settled.routable.is_empty() {
            true => self.state.unroutable_since.or_else(|| Some(Clock.now())),
            false => None,
        };
        self.state.generation += 1;
        self.state.members = members;
        let lost_since = self.state.lost.as_ref().map(|lost| lost.0);
        self.service.post(Roster::new(endpoints, Arc::clone(&self.policy), lost_since));
        self.publisher.send_replace(self.state.clone());
    }

    fn sweep(&self) {
        let now = Clock.now();
        for member in self.members.values() {
            member.endpoint.cell.transport.sweep(&self.policy.terms.connections, now);
        }
    }

    fn tell(&self, kind: EventKind) {
        self.service.events.tell(Clock.time_of_day(), &self.service.name, kind);
    }
}

impl MemberState {
    fn facts(&self) -> Facts {
        Facts {
            administration: self.endpoint.instance.administration,
            lease: self.endpoint.instance.lease,
            verdict: self.health.status,
            ejected: self.ejection.is_some(),
        }
    }
}

impl MemberHealth {
    fn unknown() -> Self {
        let reason = "not checked yet".to_owned();
        Self { status: health::Verdict::Unknown, since: Clock.now(), reason }
    }
}

impl std::fmt::Debug for MemberState {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("MemberState").field(&self.endpoint.instance.id).finish()
    }
}

fn new_cell(service: &Service, policy: &ServicePolicy, instance: &Instance) -> EndpointCell {
    EndpointCell::new(
        instance.id.clone(),
        instance.addresses[0].clone(),
        policy.protocol,
        policy.pins.of(instance.identity.as_ref()),
        &policy.endpoint_breaker,
        service.lanes,
        Arc::clone(&service.open),
    )
    .among(Arc::clone(&service.endpoint_breakers))
}

/// Who checks the instances, if anybody does.
fn monitor(
    service: &Service,
    health: Option<health::Policy>,
    policy: &ServicePolicy,
) -> Option<HealthMonitor> {
    let health = health?;
    let monitor = HealthMonitor::counting(health, Arc::clone(&service.checks));
    Some(monitor.pinned(policy.pins.clone()))
}

async fn next_change(monitor: &mut Option<HealthMonitor>) -> HealthChange {
    match monitor {
        Some(monitor) => monitor.next().await,
        None => pending().await,
    }
}
