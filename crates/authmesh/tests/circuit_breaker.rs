//! The breakers as people use them: alone, around a future, around a service.

use std::convert::Infallible;
use std::future::{pending, ready};
use std::time::Duration;

use authmesh::circuit_breaker::{
    AdvancedCircuitBreaker, CallError, Cause, CircuitBreaker, CircuitBreakerLayer, Command, Jitter,
    Move, Outcome, Policy, RejectedReason, State, Wait,
};
use tower::{Layer, Service, ServiceExt, service_fn};

#[path = "../examples/any_service.rs"]
mod any_service;
#[path = "../examples/circuit_breaker.rs"]
mod example;

fn policy() -> Policy {
    let hour = Duration::from_secs(3_600);
    let wait = Wait { first: hour, longest: hour, jitter: Jitter::None, ..Policy::standard().wait };
    Policy {
        consecutive_failures: Some(2),
        wait,
        trials: 1,
        closes_at: 1,
        ramp: None,
        ..Policy::standard()
    }
}

#[test]
fn the_example_runs_to_its_end() {
    example::main().unwrap();
}

#[test]
fn clones_are_one_breaker_and_its_metrics_add_up() {
    let breaker = CircuitBreaker::new(policy());
    breaker.try_acquire().unwrap().success();
    breaker.clone().try_acquire().unwrap().failure();
    drop(breaker.try_acquire().unwrap());
    breaker.try_acquire().unwrap().failure();
    assert_eq!(breaker.try_acquire().unwrap_err().reason, RejectedReason::Open);
    let metrics = breaker.metrics();
    assert_eq!(metrics.state.word(), "open");
    assert_eq!(metrics.results, [1, 0, 0, 2, 1]);
    assert_eq!((metrics.rejected, metrics.moves.total()), ([1, 0, 0, 0], 1));
    assert_eq!(metrics.moves.entered(metrics.state), 1);
}

#[test]
fn a_dropped_trial_gives_its_place_back() {
    let breaker = AdvancedCircuitBreaker::new(policy());
    breaker.command(Command::OpenFor(Duration::ZERO));
    // Times are rounded up to the millisecond, so the first trial may have to wait for the next.
    let trial = loop {
        if let Ok(trial) = breaker.try_acquire() {
            break trial;
        }
    };
    assert!(trial.is_trial());
    assert_eq!(breaker.try_acquire().unwrap_err().reason, RejectedReason::TrialBusy);
    drop(trial);
    let late = breaker.try_acquire().unwrap();
    breaker.command(Command::OpenFor(Duration::ZERO));
    late.failure();
    let trial = loop {
        if let Ok(trial) = breaker.try_acquire() {
            break trial;
        }
    };
    trial.success();
    assert_eq!(breaker.state(), State::Closed);
    let metrics = breaker.metrics();
    assert_eq!(metrics.trials, [1, 0, 1, 1], "passed, failed, returned, late");
    let passed = Move { from: "half_open", to: "closed", cause: Cause::TrialsPassed };
    assert_eq!((metrics.moves.of(passed), metrics.stale_results), (1, 1));
}

#[tokio::test]
async fn a_call_is_refused_without_polling_once_the_breaker_is_open() {
    let breaker = CircuitBreaker::new(policy());
    for _ in 0..2 {
        assert_eq!(breaker.call(ready(Err::<(), _>("down"))).await, Err(CallError::Failed("down")));
    }
    let refused = breaker.call(pending::<Result<(), Infallible>>()).await.unwrap_err();
    assert!(matches!(refused, CallError::Rejected(rejected) if !rejected.retry_after.is_zero()));
}

#[tokio::test]
async fn a_layer_guards_a_service_and_asks_the_classifier() {
    let breaker = AdvancedCircuitBreaker::new(policy());
    let classify = |result: Result<&u16, &Infallible>| match result {
        Ok(500..) => Outcome::FAILURE,
        Ok(401) => Outcome::DENIED,
        _ => Outcome::SUCCESS,
    };
    let layer = CircuitBreakerLayer::advanced(&breaker).classify(classify);
    let mut service = layer.layer(service_fn(|status: u16| ready(Ok::<_, Infallible>(status))));
    for status in [503, 401, 503, 200, 503, 503] {
        assert_eq!(service.ready().await.unwrap().call(status).await, Ok(status));
    }
    let refused = service.ready().await.unwrap().call(200).await;
    assert!(matches!(refused, Err(CallError::Rejected(_))));
}

#[test]
fn the_example_of_any_service_runs_to_its_end() {
    any_service::main().unwrap();
}

#[tokio::test]
async fn a_layer_guards_a_service_that_speaks_no_http() {
    let breaker = AdvancedCircuitBreaker::new(policy());
    let mut directory = any_service::directory(&breaker);
    // Wrong passwords and a busy directory between good answers open nothing.
    for code in [49, 49, 49, 51, 0, 51, 49, 51, 32] {
        assert_eq!(directory.ready().await.unwrap().call(code).await, Ok(code));
    }
    assert_eq!(breaker.state(), State::Closed);
    for code in [52, 80] {
        assert_eq!(directory.ready().await.unwrap().call(code).await, Ok(code));
    }
    let refused = directory.ready().await.unwrap().call(0).await;
    assert!(matches!(refused, Err(CallError::Rejected(_))));
    assert_eq!(breaker.metrics().results, [1, 5, 0, 5, 0]);
}

#[tokio::test]
async fn a_classifier_that_panics_leaves_the_call_without_a_word() {
    let breaker = CircuitBreaker::new(policy());
    let classify = |_: Result<&(), &Infallible>| -> Outcome { panic!("a classifier's fault") };
    let layer = CircuitBreakerLayer::new(&breaker).classify(classify);
    let mut service = layer.layer(service_fn(|(): ()| ready(Ok::<_, Infallible>(()))));
    let call = service.ready().await.unwrap().call(());
    assert!(tokio::spawn(call).await.unwrap_err().is_panic());
    assert_eq!(breaker.metrics().results, [0, 0, 0, 0, 1]);
}

#[tokio::test]
async fn a_service_call_dropped_in_the_middle_says_nothing() {
    let breaker = CircuitBreaker::new(policy());
    let layer = CircuitBreakerLayer::new(&breaker);
    let mut service = layer.layer(service_fn(|(): ()| pending::<Result<(), Infallible>>()));
    for _ in 0..10 {
        let call = service.ready().await.unwrap().call(());
        assert!(tokio::time::timeout(Duration::ZERO, call).await.is_err());
    }
    assert_eq!(breaker.metrics().results, [0, 0, 0, 0, 10]);
    assert_eq!(breaker.state(), State::Closed);
}
