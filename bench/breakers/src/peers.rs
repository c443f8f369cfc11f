//! The breakers of other crates, set up as closely to ours as they allow.

use std::hint::black_box;
use std::time::Duration;

use failsafe::failure_policy::{consecutive_failures, success_rate_over_time_window};
use failsafe::{CircuitBreaker, Config, backoff};
use recloser::Recloser;
use tower_layer::Layer;
use tower_resilience_circuitbreaker::CircuitBreakerLayer;

use crate::measure::Case;
use crate::ours::{AtOnce, call_at_once};

const WAIT: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(86_400);
const WINDOW: Duration = Duration::from_secs(10);

/// Every case of theirs; where they need the time they read the clock themselves. The window over
/// time of tower-resilience keeps every call in it, so that at this pace a call costs what the
/// window holds; it is left out.
pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("failsafe_basic", "failsafe, five failures in a row", {
            let waits = backoff::constant(WAIT);
            succeed(Config::new().failure_policy(consecutive_failures(5, waits)).build())
        }),
        Case::new("failsafe_time", "failsafe, success rate over 10 s", {
            let waits = backoff::constant(WAIT);
            let policy = success_rate_over_time_window(0.5, 20, WINDOW, waits);
            succeed(Config::new().failure_policy(policy).build())
        }),
        Case::new("failsafe_refused", "failsafe, refuse while open", failsafe_refused()),
        Case::new("recloser_count", "recloser, the last 100 calls", recloser_count()),
        Case::new("recloser_refused", "recloser, refuse while open", recloser_refused()),
        Case::new("tower_resilience", "tower-resilience, the last 100 calls", tower_resilience()),
    ]
}

fn succeed(breaker: impl CircuitBreaker + 'static) -> impl FnMut(u64) {
    move |calls| {
        for _ in 0..calls {
            assert!(black_box(breaker.call(|| Ok::<(), ()>(()))).is_ok());
        }
    }
}

fn failsafe_refused() -> impl FnMut(u64) {
    let policy = consecutive_failures(1, backoff::constant(LONG));
    let breaker = Config::new().failure_policy(policy).build();
    assert!(breaker.call(|| Err::<(), ()>(())).is_err());
    move |calls| {
        for _ in 0..calls {
            assert!(black_box(breaker.call(|| Ok::<(), ()>(()))).is_err());
        }
    }
}

fn recloser_count() -> impl FnMut(u64) {
    let breaker = Recloser::custom().error_rate(0.5).closed_len(100).open_wait(WAIT).build();
    move |calls| {
        for _ in 0..calls {
            assert!(black_box(breaker.call(|| Ok::<(), ()>(()))).is_ok());
        }
    }
}

fn recloser_refused() -> impl FnMut(u64) {
    let breaker = Recloser::custom().error_rate(0.5).closed_len(1).open_wait(LONG).build();
    for _ in 0..10 {
        assert!(breaker.call(|| Err::<(), ()>(())).is_err());
    }
    move |calls| {
        for _ in 0..calls {
            assert!(black_box(breaker.call(|| Ok::<(), ()>(()))).is_err());
        }
    }
}

#[expect(clippy::expect_used, reason = "the settings are constants, and lawful")]
fn tower_resilience() -> impl FnMut(u64) {
    let layer = CircuitBreakerLayer::builder()
        .failure_rate_threshold(0.5)
        .sliding_window_size(100)
        .minimum_number_of_calls(20)
        .wait_duration_in_open(WAIT)
        .build()
        .expect("lawful settings");
    call_at_once(Layer::<AtOnce>::layer(&layer, AtOnce))
}
