//! The two breakers people use: clock, luck, place and policy inside.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use authmesh_logic::outcome::{Outcome, OutcomeKind};
use authmesh_logic::{Lane, Moment, circuit_breaker as logic};

use super::counters::{BreakerCounters, CircuitBreakerMetrics, TrialResult};
use super::guard::{CallError, PermitGuard};
use super::history::BreakerHistory;
use super::{Admission, Command, Permit, Policy, Rejected, State, Transition};
use crate::clock::Clock;
use crate::luck::with_dice;

/// A circuit breaker that opens after `consecutive_failures` of its policy.
///
/// A handle: clones are the same breaker.
#[derive(Clone, Debug)]
pub struct CircuitBreaker(Arc<Breaker>);

/// A circuit breaker with every trip of its policy: counts, rates and slow calls over a window.
///
/// A handle: clones are the same breaker.
#[derive(Clone, Debug)]
pub struct AdvancedCircuitBreaker(Arc<Breaker>);

impl CircuitBreaker {
    /// A closed breaker.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        let now = Clock.now();
        let basic = with_dice(|dice| logic::CircuitBreaker::new(dice, now));
        Self(Breaker::new(Kind::Basic(basic), policy, now))
    }
}

impl AdvancedCircuitBreaker {
    /// A closed breaker.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        let (now, shards) = (Clock.now(), shards());
        let advanced =
            with_dice(|dice| logic::AdvancedCircuitBreaker::new(&policy, shards, dice, now));
        Self(Breaker::new(Kind::Advanced(advanced), policy, now))
    }
}

/// Gives both breakers the same face.
macro_rules! face {
    ($breaker:ty) => {
        impl $breaker {
            /// Asks to make one call. Dropping the guard gives the place back.
            ///
            /// # Errors
            /// The refusal says why and when asking again may help.
            pub fn try_acquire(&self) -> Result<PermitGuard, Rejected> {
                Breaker::guard(&self.0)
            }

            /// Makes the call that `future` is: `Ok` is a success, `Err` a failure; dropped before
            /// its end it says nothing.
            ///
            /// # Errors
            /// [`CallError::Rejected`] without polling the future, or its own error.
            pub async fn call<T, E>(
                &self,
                future: impl Future<Output = Result<T, E>>,
            ) -> Result<T, CallError<E>> {
                let guard = self.try_acquire().map_err(CallError::Rejected)?;
                let result = future.await;
                guard.record(match result {
                    Ok(_) => Outcome::SUCCESS,
                    Err(_) => Outcome::FAILURE,
                });
                result.map_err(CallError::Failed)
            }

            /// The state now.
            #[must_use]
            pub fn state(&self) -> State {
                self.0.state()
            }

            /// What a call would be answered now. Takes no permit.
            #[must_use]
            pub fn would_admit(&self) -> Admission {
                self.0.would_admit()
            }

            /// What it has seen.
            #[must_use]
            pub fn metrics(&self) -> CircuitBreakerMetrics {
                self.0.metrics()
            }

            /// Obeys an operator. `None` where [`Command::HalfOpen`] finds the breaker closed.
            pub fn command(&self, command: Command) -> Option<Transition> {
                self.0.command(command)
            }

            pub(super) fn shared(&self) -> Arc<Breaker> {
                Arc::clone(&self.0)
            }
        }
    };
}

impl AdvancedCircuitBreaker {
    /// Whether anybody has a handle or a permit of it beside this one.
    pub(super) fn is_held(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }
}

face!(CircuitBreaker);
face!(AdvancedCircuitBreaker);

/// Either breaker with all that floor 1 wants handed in.
#[derive(Debug)]
pub(super) struct Breaker {
    kind: Kind,
    policy: Policy,
    counters: BreakerCounters,
    history: BreakerHistory,
}

#[derive(Debug)]
enum Kind {
    Basic(logic::CircuitBreaker),
    Advanced(logic::AdvancedCircuitBreaker),
}

/// Calls the same method of whichever breaker it is.
macro_rules! either {
    ($kind:expr, $breaker:ident => $call:expr) => {
        match $kind {
            Kind::Basic($breaker) => $call,
            Kind::Advanced($breaker) => $call,
        }
    };
}

impl Breaker {
    fn new(kind: Kind, policy: Policy, now: Moment) -> Arc<Self> {
        let history = BreakerHistory::beginning(State::Closed, now);
        Arc::new(Self { kind, policy, counters: BreakerCounters::default(), history })
    }

    pub(super) fn guard(shared: &Arc<Self>) -> Result<PermitGuard, Rejected> {
        let now = Clock.now();
        let (answer, transition) = with_dice(
            |dice| either!(&shared.kind, it => it.try_acquire(&shared.policy, lane(), dice, now)),
        );
        shared.note(transition);
        match answer {
            Ok(permit) => Ok(PermitGuard::new(Arc::clone(shared), permit, now)),
            Err(rejected) => {
                shared.counters.rejected(rejected.reason);
                Err(rejected)
            }
        }
    }

    pub(super) fn record(&self, permit: Permit, mut outcome: Outcome, asked: Moment) {
        let now = Clock.now();
        outcome.slow |= self.policy.is_slow(now.since(asked));
        self.counters.result(outcome.kind);
        self.count_trial(&permit, outcome.kind, now);
        let transition =
            either!(&self.kind, it => it.record(&self.policy, lane(), permit, outcome, now));
        self.note(transition);
    }

    pub(super) fn cancel(&self, permit: Permit) {
        self.counters.result(OutcomeKind::Neutral);
        if permit.is_trial() {
            self.count_trial(&permit, OutcomeKind::Neutral, Clock.now());
        }
        either!(&self.kind, it => it.cancel(permit));
    }

    fn count_trial(&self, permit: &Permit, kind: OutcomeKind, now: Moment) {
        if permit.is_trial() {
            let is_current = either!(&self.kind, it => it.is_current(&self.policy, permit, now));
            self.counters.trial(TrialResult::of(kind, is_current));
        }
    }

    fn state(&self) -> State {
        either!(&self.kind, it => it.state(&self.policy, Clock.now()))
    }

    fn would_admit(&self) -> Admission {
        either!(&self.kind, it => it.would_admit(&self.policy, Clock.now()))
    }

    fn command(&self, command: Command) -> Option<Transition> {
        let transition = either!(&self.kind, it => it.command(&self.policy, command, Clock.now()));
        self.note(transition);
        transition
    }

    fn metrics(&self) -> CircuitBreakerMetrics {
        let now = Clock.now();
        let reading = either!(&self.kind, it => it.reading(&self.policy, now));
        let mut metrics = CircuitBreakerMetrics::of(&reading, &self.history, now);
        metrics.add(&self.counters);
        metrics
    }

    fn note(&self, transition: Option<Transition>) {
        if let Some(transition) = transition {
            self.history.note(transition);
        }
    }
}

/// The most sets of counters one breaker has.
const MOST_SHARDS: usize = 16;

fn shards() -> usize {
    std::thread::available_parallelism().map_or(1, |threads| threads.get().min(MOST_SHARDS))
}

/// The lane of this thread: threads are numbered as they first ask.
fn lane() -> Lane {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    thread_local! {
        static LANE: Lane = Lane::new(NEXT.fetch_add(1, Ordering::Relaxed));
    }
    LANE.with(|lane| *lane)
}
