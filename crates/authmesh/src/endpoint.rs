//! What the request lane holds for an instance: its facts, and the live cell that outlives them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use authmesh_logic::Moment;
use authmesh_logic::circuit_breaker::{AdvancedCircuitBreaker, Policy};
use authmesh_logic::config::Protocol;
use authmesh_logic::discovery::{Address, Instance, InstanceId, Weight};
use authmesh_logic::health::Traffic;
use authmesh_logic::load_balancer::Candidate;
use authmesh_logic::outlier::Tally;

use crate::circuit_breaker::CircuitBreakerMetrics;
use crate::clock::Clock;
use crate::identity::Pin;
use crate::luck::with_dice;
use crate::operator::ManualNote;
use crate::telemetry::{BreakerCounters, BreakerReading};
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
    pub(crate) counters: BreakerCounters,
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
        Self {
            id,
            transport: Transport::new(address, protocol, pin, lanes, open),
            breaker: with_dice(|dice| {
                AdvancedCircuitBreaker::new(breaker, lanes, dice, Clock.now())
            }),
            manual: ManualNote::default(),
            traffic: Arc::new(Traffic::default()),
            tally: Arc::default(),
            counters: BreakerCounters::default(),
            begun: AtomicU64::new(0),
            ended: AtomicU64::new(0),
        }
    }

    /// The same with the breaker of `old` in it, and whoever holds that by hand.
    pub(crate) fn succeeding(self, old: &Self, breaker: &Policy, lanes: usize) -> Self {
        let breaker = old.breaker.resized(breaker, lanes, Clock.now());
        self.manual.write(old.manual.take());
        Self { breaker, ..self }
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

    /// What its breaker has seen. Asking changes nothing.
    pub(crate) fn breaker_metrics(&self, policy: &Policy, now: Moment) -> CircuitBreakerMetrics {
        self.counters.metrics(BreakerReading::of(&self.breaker, policy, now))
    }
}
