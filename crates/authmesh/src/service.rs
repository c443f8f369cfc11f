//! One service as the request lane knows it: its roster, its operations, its retry budget.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption, Guard};
use authmesh_logic::circuit_breaker::{
    self, AdvancedCircuitBreaker, BreakerRegistry, Counts, Permit, State, Transition,
};
use authmesh_logic::concurrency::Priority;
use authmesh_logic::config::{AdmissionConfig, Classifier};
use authmesh_logic::discovery::ServiceName;
use authmesh_logic::outcome::Outcome;
use authmesh_logic::outlier::Cause;
use authmesh_logic::quota::Quota;
use authmesh_logic::retry::{self, Budget, OperationClass};
use authmesh_logic::{Lane, Moment};
use tokio::sync::Notify;

use crate::admission::Admission;
use crate::circuit_breaker::TrialResult;
use crate::clock::Clock;
use crate::health::HealthCounters;
use crate::luck::with_dice;
use crate::operator::ManualNote;
use crate::roster::{Roster, ServicePolicy};
use crate::telemetry::{Counted, EndpointBreakerCounters, EventSender, OperationCounters};
use crate::transport::OpenConnections;

/// One service, shared by all its clients.
pub(crate) struct Service {
    pub(crate) name: ServiceName,
    pub(crate) lanes: usize,
    pub(crate) budget: Budget,
    pub(crate) events: Arc<EventSender>,
    pub(crate) open: Arc<OpenConnections>,
    pub(crate) checks: Arc<HealthCounters>,
    /// Rung when an endpoint has failed often enough to be looked at.
    pub(crate) outliers: Arc<Notify>,
    /// What is counted of all its endpoint breakers together.
    pub(crate) endpoint_breakers: Arc<EndpointBreakerCounters>,
    /// How often instances were ejected, by the rule that found them.
    pub(crate) ejections: [AtomicU64; Cause::ALL.len()],
    quotas: Arc<Quotas>,
    roster: ArcSwap<Roster>,
    operations: RwLock<BreakerRegistry<Box<str>, Arc<Operation>>>,
}

/// What requests do at a service: the key of breakers and counters.
pub(crate) struct Operation {
    pub(crate) name: Box<str>,
    /// Replaced by one in the same state when the size of its windows changes.
    pub(crate) breaker: ArcSwap<AdvancedCircuitBreaker>,
    /// Who holds the breaker by hand.
    pub(crate) manual: ManualNote,
    pub(crate) counters: OperationCounters,
    /// What it carries; empty lets everything in.
    pub(crate) admission: ArcSwapOption<Admission>,
    /// Closed by its throttled answers, unless the route names another quota.
    pub(crate) quota: Arc<NamedQuota>,
}

/// A quota and what it is called.
pub(crate) struct NamedQuota {
    pub(crate) name: Box<str>,
    pub(crate) door: Quota,
}

/// The quotas that routes name, over all services of a mesh.
#[derive(Default)]
pub(crate) struct Quotas(RwLock<BTreeMap<Box<str>, Arc<NamedQuota>>>);

/// A service, an operation of it, and how requests for it are treated, from one lane.
pub(crate) struct Target {
    pub(crate) service: Arc<Service>,
    pub(crate) operation: Arc<Operation>,
    pub(crate) quota: Arc<NamedQuota>,
    pub(crate) treatment: Treatment,
    pub(crate) lane: Lane,
}

/// How requests of a route are treated; what is `None` follows the service or the method.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Treatment {
    /// What a request may survive.
    pub class: Option<OperationClass>,
    /// What an answer says.
    pub classifier: Classifier,
    /// Who is refused first when there is not room for all.
    pub priority: Priority,
    /// How long a request may take to the head of its answer.
    pub timeout: Option<Duration>,
    /// Whether and how attempts are repeated.
    pub retry: Option<retry::Policy>,
}

/// The operation of requests for which none is named.
pub(crate) const DEFAULT_OPERATION: &str = "default";

/// The most quotas of one mesh; further ones are closed by nobody but themselves.
const MOST_QUOTAS: usize = 1_024;

/// The most operations one service has. One whose breaker is at rest makes room for another; where
/// none is, requests of a further one count as the default.
const MOST_OPERATIONS: usize = 256;

impl Service {
    pub(crate) fn new(
        name: ServiceName,
        policy: Arc<ServicePolicy>,
        lanes: usize,
        events: Arc<EventSender>,
        quotas: Arc<Quotas>,
    ) -> Self {
        Self {
            name,
            lanes,
            budget: Budget::new(lanes),
            events,
            open: Arc::default(),
            checks: Arc::default(),
            outliers: Arc::default(),
            endpoint_breakers: Arc::default(),
            ejections: Default::default(),
            quotas,
            roster: ArcSwap::from_pointee(Roster::empty(policy)),
            operations: RwLock::new(BreakerRegistry::new(MOST_OPERATIONS)),
        }
    }

    /// The roster of this moment. Not to be held across a wait.
    pub(crate) fn roster(&self) -> Guard<Arc<Roster>> {
        self.roster.load()
    }

    /// Posts the next roster. Only the driver calls this.
    pub(crate) fn post(&self, roster: Roster) {
        self.roster.store(Arc::new(roster));
    }

    /// The operation of this name, made at its first use.
    pub(crate) fn operation(&self, name: &str) -> Arc<Operation> {
        let known = self.operations.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(operation) = known.get(name) {
            return Arc::clone(operation);
        }
        drop(known);
        let mut known = self.operations.write().unwrap_or_else(PoisonError::into_inner);
        let now = Clock.now();
        let policy = Arc::clone(&self.roster.load().policy);
        let make = |name: &str| Arc::new(Operation::new(name, &policy, self.lanes, now));
        let is_at_rest = |operation: &Arc<Operation>| {
            Arc::strong_count(operation) == 1 && operation.is_at_rest(&policy.breaker, now)
        };
        let mut find =
            |name: &str| known.get_or_insert(name.into(), now, is_at_rest, || make(name)).cloned();
        let found = find(name).or_else(|_| find(DEFAULT_OPERATION));
        // Not even the default has a place: it guards all the same, for whoever has it.
        found.unwrap_or_else(|_| make(DEFAULT_OPERATION))
    }

    /// Every operation used so far, by name.
    pub(crate) fn operations(&self) -> Vec<Arc<Operation>> {
        let known = self.operations.read().unwrap_or_else(PoisonError::into_inner);
        known.iter().map(|(_, operation)| Arc::clone(operation)).collect()
    }

    /// Gives every operation's breaker windows of the size `breaker` asks for. State, commands and
    /// evidence go on.
    pub(crate) fn resize_breakers(&self, breaker: &circuit_breaker::Policy) {
        for operation in self.operations() {
            let resized = operation.breaker.load().resized(breaker, self.lanes, Clock.now());
            operation.breaker.store(Arc::new(resized));
        }
    }

    /// Lets every operation be asked by other terms of admission from now on.
    pub(crate) fn admit_by(&self, config: AdmissionConfig) {
        for operation in self.operations() {
            operation.admission.store(Admission::new(config, self.lanes, Clock.now()));
        }
    }

    /// The quota of this name, made at its first use.
    pub(crate) fn quota(&self, name: &str) -> Arc<NamedQuota> {
        let Quotas(known) = &*self.quotas;
        let mut known = known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_QUOTAS && !known.contains_key(name) {
            return NamedQuota::new(name);
        }
        Arc::clone(known.entry(name.into()).or_insert_with(|| NamedQuota::new(name)))
    }
}

impl Operation {
    fn new(name: &str, policy: &ServicePolicy, lanes: usize, now: Moment) -> Self {
        let breaker =
            with_dice(|dice| AdvancedCircuitBreaker::new(&policy.breaker, lanes, dice, now));
        Self {
            name: name.into(),
            breaker: ArcSwap::from_pointee(breaker),
            manual: ManualNote::default(),
            counters: OperationCounters::new(lanes, now),
            admission: ArcSwapOption::from(Admission::new(policy.admission, lanes, now)),
            quota: NamedQuota::new(name),
        }
    }

    /// Tells its breaker how an attempt ended, and counts it if it was a trial.
    pub(crate) fn record(
        &self,
        policy: &circuit_breaker::Policy,
        lane: Lane,
        permit: Permit,
        outcome: Outcome,
        now: Moment,
    ) -> Option<Transition> {
        let breaker = self.breaker.load();
        if permit.is_trial() {
            let is_current = breaker.is_current(policy, &permit, now);
            self.counters.count(lane, Counted::Trial(TrialResult::of(outcome.kind, is_current)));
        }
        breaker.record(policy, lane, permit, outcome, now)
    }

    /// Whether its breaker protects nothing and knows nothing.
    fn is_at_rest(&self, policy: &circuit_breaker::Policy, now: Moment) -> bool {
        let breaker = self.breaker.load();
        breaker.state(policy, now) == State::Closed
            && breaker.counts(policy, now) == Counts::default()
    }
}

impl NamedQuota {
    fn new(name: &str) -> Arc<Self> {
        Arc::new(Self { name: name.into(), door: Quota::default() })
    }
}

impl Target {
    /// What a request with this method may survive.
    pub(crate) fn class_of(&self, method: &str) -> OperationClass {
        self.treatment.class.unwrap_or_else(|| OperationClass::of_method(method))
    }
}
