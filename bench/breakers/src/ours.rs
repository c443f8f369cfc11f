//! Our breakers, and the addition they are compared with.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use authmesh_logic::circuit_breaker::{
    AdvancedCircuitBreaker, CircuitBreaker, Command, Policy, RateTrip, Window,
};
use authmesh_logic::outcome::Outcome;
use authmesh_logic::{Dice, Lane, Moment, Ratio};
use tower_layer::Layer;
use tower_service::Service;

use crate::circuit_breaker as library;
use crate::clock::Clock;
use crate::measure::Case;

/// How much time passes from call to call, where time is handed in.
const STEP: Duration = Duration::from_micros(1);

/// One atomic addition, which nobody else wants.
pub(crate) fn addition() -> impl FnMut(u64) {
    let count = AtomicU64::new(0);
    move |calls| {
        let count = black_box(&count);
        for _ in 0..calls {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A breaker's call from beginning to end, in a loop, with time handed in. As any caller does, it
/// looks whether something is told; copying what is not there would cost more than the call where
/// the copy lies across two lines of the cache.
macro_rules! succeed {
    ($breaker:expr, $policy:expr) => {{
        let (breaker, policy) = ($breaker, $policy);
        let (mut dice, mut now) = (Dice::seeded(1), Moment::START);
        move |calls| {
            for _ in 0..calls {
                now = now + STEP;
                let lane = black_box(Lane::FIRST);
                let (answer, _) = breaker.try_acquire(&policy, lane, &mut dice, now);
                if let Ok(permit) = answer {
                    let outcome = black_box(Outcome::SUCCESS);
                    black_box(breaker.record(&policy, lane, permit, outcome, now).is_some());
                }
            }
        }
    }};
}

pub(crate) fn advanced(policy: &Policy, shards: usize) -> AdvancedCircuitBreaker {
    AdvancedCircuitBreaker::new(policy, shards, &mut Dice::seeded(1), Moment::START)
}

/// Every case of ours.
pub(crate) fn cases() -> Vec<Case> {
    let standard = Policy::standard;
    let basic = CircuitBreaker::new(&mut Dice::seeded(1), Moment::START);
    let counting = Policy { window: Window::Count { calls: 100 }, ..standard() };
    vec![
        Case::new("basic", "admit and record a success, failures in a row", {
            succeed!(basic, standard())
        }),
        Case::new("time", "admit and record a success, 10 s in 10 buckets", {
            succeed!(advanced(&standard(), 1), standard())
        }),
        Case::new("time_lanes", "the same with a ring for each of two workers", {
            succeed!(advanced(&standard(), 2), standard())
        }),
        Case::new("time_troubled", "the same while a thousandth of the calls fails", troubled()),
        Case::new("time_clock", "the same with two readings of the clock", clocked()),
        Case::new("count", "admit and record a success, the last 100 calls", {
            succeed!(advanced(&counting, 1), counting)
        }),
        Case::new("refused", "refuse while open", refused()),
        Case::new(
            "layer",
            "one call through the tower layer, clock and counters included",
            layer(),
        ),
    ]
}

/// Fails once in a thousand calls.
fn troubled() -> impl FnMut(u64) {
    let rate = RateTrip { threshold: Ratio::percent(50), minimum_calls: 20 };
    let policy = Policy { failure_rate: Some(rate), ..Policy::standard() };
    let breaker = advanced(&policy, 1);
    let (mut dice, mut now) = (Dice::seeded(1), Moment::START);
    move |calls| {
        for call in 0..calls {
            now = now + STEP;
            let lane = black_box(Lane::FIRST);
            if let (Ok(permit), _) = breaker.try_acquire(&policy, lane, &mut dice, now) {
                let outcome = if call == 0 { Outcome::FAILURE } else { Outcome::SUCCESS };
                black_box(breaker.record(&policy, lane, permit, black_box(outcome), now).is_some());
            }
        }
    }
}

/// As the peers do it: each half of the call reads the clock.
fn clocked() -> impl FnMut(u64) {
    let policy = Policy::standard();
    let breaker = advanced(&policy, 1);
    let mut dice = Dice::seeded(1);
    move |calls| {
        for _ in 0..calls {
            let lane = black_box(Lane::FIRST);
            let (answer, _) = breaker.try_acquire(&policy, lane, &mut dice, Clock.now());
            if let Ok(permit) = answer {
                let outcome = black_box(Outcome::SUCCESS);
                black_box(breaker.record(&policy, lane, permit, outcome, Clock.now()).is_some());
            }
        }
    }
}

fn refused() -> impl FnMut(u64) {
    let policy = Policy::standard();
    let breaker = advanced(&policy, 1);
    breaker.command(&policy, Command::OpenFor(Duration::from_secs(86_400)), Moment::START);
    let (mut dice, mut now) = (Dice::seeded(1), Moment::START);
    move |calls| {
        for _ in 0..calls {
            now = now + Duration::from_nanos(1);
            let answer = breaker.try_acquire(&policy, black_box(Lane::FIRST), &mut dice, now).0;
            assert!(black_box(answer).is_err());
        }
    }
}

/// A service that answers at once.
#[derive(Clone)]
pub(crate) struct AtOnce;

impl Service<()> for AtOnce {
    type Response = ();
    type Error = Infallible;
    type Future = Ready<Result<(), Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, (): ()) -> Self::Future {
        ready(Ok(()))
    }
}

/// Makes one call after the other, each of which ends at its first poll.
pub(crate) fn call_at_once<S: Service<()>>(mut service: S) -> impl FnMut(u64) {
    move |calls| {
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..calls {
            assert!(service.poll_ready(&mut context).is_ready());
            let mut call = std::pin::pin!(service.call(()));
            assert!(black_box(call.as_mut().poll(&mut context)).is_ready());
        }
    }
}

fn layer() -> impl FnMut(u64) {
    let breaker = library::AdvancedCircuitBreaker::new(Policy::standard());
    call_at_once(library::CircuitBreakerLayer::advanced(&breaker).layer(AtOnce))
}
