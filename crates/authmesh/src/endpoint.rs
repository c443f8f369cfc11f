//! What the request lane holds for an instance: its facts, and the live cell that outlives them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use authmesh_logic::circuit_breaker::{AdvancedCircuitBreaker, Permit, Policy, Transition};
use authmesh_logic::config::Protocol;
use authmesh_logic::discovery::{Address, Instance, InstanceId, Weight};
use authmesh_logic::health::Traffic;
use authmesh_logic::load_balancer::Candidate;
use authmesh_logic::outcome::Outcome;
use authmesh_logic::outlier::Tally;
use authmesh_logic::{Lane, Moment};

use crate::circuit_breaker::{
    BreakerCounters, BreakerHistory, CircuitBreakerMetrics, RejectedReason, State, TrialResult,
};
use crate::clock::Clock;
use crate::identity::Pin;
use crate::luck::with_dice;
use crate::operator::ManualNote;
use crate::telemetry::EndpointBreakerCounters;
use crate::transport::{OpenConnections, Transport};

/// An instance in a roster: facts of this generation, and the state that stays.
#[derive(Clone)]
pub(crate) struct Endpoint {
    pub(crate) instance: Arc<Instance>,
    pub(crate) cell: Arc<EndpointCell>,
}

/// The live state of an endpoint. It stays the same while rosters come and go.
pub(crate) struct EndpointCell {
    pub(crate) id: InstanceId,
    pub(crate) transport: Transport,
    pub(crate) breaker: AdvancedCircuitBreaker,
    /// Who holds the breaker by hand.
    pub(crate) manual: ManualNote,
    /// What real traffic says, for whoever checks health.
    pub(crate) traffic: Arc<Traffic>,
    /// What real traffic says, compared with that of its siblings.
    pub(crate) tally: Arc<Tally>,
    /// What came of its breaker's permits.
    counters: BreakerCounters,
    /// What became of its breaker.
    history: BreakerHistory,
    /// The same of all breakers of its service.
    siblings: Arc<EndpointBreakerCounters>,
    /// Attempts that have begun, and of these the ended ones.
    begun: AtomicU64,
    ended: AtomicU64,
}

impl Candidate for Endpoint {
    fn load(&self) -> u64 {
        self.cell.in_flight()
    }

    fn weight(&self) -> Weight {
        self.instance.weight
    }

    /// Who may take a request depends on the request: the chooser asks the breakers itself.
    fn admits(&self) -> bool {
        true
    }
}

impl EndpointCell {
    pub(crate) fn new(
        id: InstanceId,
        address: Address,
        protocol: Protocol,
        pin: Option<Pin>,
        breaker: &Policy,
        lanes: usize,
        open: Arc<OpenConnections>,
    ) -> Self {
        let now = Clock.now();
        Self {
            id,
            transport: Transport::new(address, protocol, pin, lanes, open),
            breaker: with_dice(|dice| AdvancedCircuitBreaker::new(breaker, lanes, dice, now)),
            manual: ManualNote::default(),
            traffic: Arc::new(Traffic::default()),
            tally: Arc::default(),
            counters: BreakerCounters::default(),
            history: BreakerHistory::beginning(State::Closed, now),
            siblings: Arc::default(),
            begun: AtomicU64::new(0),
            ended: AtomicU64::new(0),
        }
    }

    /// The same, its breaker counted with those of its siblings.
    pub(crate) fn among(self, siblings: Arc<EndpointBreakerCounters>) -> Self {
        Self { siblings, ..self }
    }

    /// The same with the breaker of `old` in it, and whoever holds that by hand.
    pub(crate) fn succeeding(self, old: &Self, policy: &Policy, lanes: usize) -> Self {
        let now = Clock.now();
        let breaker = old.breaker.resized(policy, lanes, now);
        let history = BreakerHistory::beginning(breaker.state(policy, now), now);
        self.manual.write(old.manual.take());
        Self { breaker, history, ..self }
    }

    /// Attempts that have begun and not ended.
    pub(crate) fn in_flight(&self) -> u64 {
        // The ended ones first: one that ends between the two readings is then still counted.
        let ended = self.ended.load(Ordering::Acquire);
        self.begun.load(Ordering::Relaxed).saturating_sub(ended)
    }

    /// How often it was chosen.
    pub(crate) fn picks(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    pub(crate) fn enter(&self) {
        self.begun.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn leave(&self) {
        self.ended.fetch_add(1, Ordering::Release);
    }

    /// Counts a call that its breaker refused.
    pub(crate) fn refused(&self, reason: RejectedReason) {
        self.counters.rejected(reason);
        self.siblings.rejected(reason);
    }

    /// Takes note of a change of its breaker's state.
    pub(crate) fn moved(&self, transition: Transition) {
        self.history.note(transition);
        self.siblings.moved(transition);
    }

    /// Tells its breaker how an attempt ended, and counts it.
    pub(crate) fn record(
        &self,
        policy: &Policy,
        lane: Lane,
        permit: Permit,
        outcome: Outcome,
        now: Moment,
    ) -> Option<Transition> {
        self.counters.result(outcome.kind);
        if permit.is_trial() {
            let is_current = self.breaker.is_current(policy, &permit, now);
            let result = TrialResult::of(outcome.kind, is_current);
            self.counters.trial(result);
            self.siblings.trial(result);
        }
        self.breaker.record(policy, lane, permit, outcome, now)
    }

    /// What its breaker has seen. Asking changes nothing.
    pub(crate) fn breaker_metrics(&self, policy: &Policy, now: Moment) -> CircuitBreakerMetrics {
        let reading = self.breaker.reading(policy, now);
        let mut metrics = CircuitBreakerMetrics::of(&reading, &self.history, now);
        metrics.add(&self.counters);
        metrics
    }
}
