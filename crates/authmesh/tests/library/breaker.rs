//! Breakers of a mesh: they open on failures, never on denials, and close again.

use std::time::Duration;

use authmesh::circuit_breaker::{
    Cause, Command, Jitter, OutcomeKind, Policy, State, TrialResult, Wait, classify,
};
use authmesh::status::BreakerKey;
use authmesh::telemetry::EventKind;
use authmesh::{ErrorKind, Mesh};
use http::{Method, StatusCode};

use crate::backend::{Backend, Manner, nowhere};
use crate::mesh::{mesh, send, token, within};

/// Opens after three failures in a row, for a moment.
fn quick() -> Policy {
    let wait = Wait { first: Duration::from_millis(20), multiplier: 1, ..Policy::standard().wait };
    Policy { consecutive_failures: Some(3), wait, ramp: None, ..Policy::standard() }
}

fn state(mesh: &Mesh) -> State {
    mesh.metrics().service("token").unwrap().instances[0].breaker.state
}

#[tokio::test]
async fn a_breaker_opens_refuses_and_closes_and_each_move_is_an_event() {
    let backend = Backend::start("token", Manner::Fails);
    let mut service = token([backend.address.clone()]);
    service.endpoint_breaker = quick();
    let mesh = mesh([service]).await;
    let mut events = mesh.events();
    let client = mesh.service("token").unwrap();

    // A failing answer is an answer, and is passed on; the third opens the breaker.
    for _ in 0..3 {
        let answer = send(&client, Method::POST).await.unwrap();
        assert_eq!(answer.0, StatusCode::INTERNAL_SERVER_ERROR);
    }
    assert!(matches!(state(&mesh), State::Open { .. }));
    backend.behave(Manner::Answers);

    let mut refused = 0;
    within(async {
        while state(&mesh) != State::Closed {
            match send(&client, Method::GET).await {
                Ok(answer) => assert_eq!(answer.0, StatusCode::OK),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::BreakerOpen);
                    assert!(error.retry_after().is_some());
                    refused += 1;
                    tokio::task::yield_now().await;
                }
            }
        }
    })
    .await;
    assert!(refused > 0, "an open breaker refuses");

    let mut moves = Vec::new();
    while moves.last() != Some(&"closed") {
        if let EventKind::EndpointBreaker { transition, .. } =
            within(events.next()).await.unwrap().kind
        {
            moves.push(transition.to.word());
        }
    }
    assert_eq!(moves, ["open", "half_open", "closed"]);
    let metrics = mesh.metrics();
    let breaker = &metrics.service("token").unwrap().instances[0].breaker;
    assert_eq!(breaker.moves.total(), 3);
    let of_all = &metrics.service("token").unwrap().endpoint_breakers;
    assert_eq!((&of_all.moves, of_all.trials), (&breaker.moves, breaker.trials));
    assert_eq!(breaker.trials, [2, 0, 0, 0], "both passed");
    let spent = breaker.time_in_state.map(|spent| !spent.is_zero());
    assert_eq!(spent, [true, false, true, true, false, false, false]);
    assert_eq!(breaker.results[OutcomeKind::Failure as usize], 3);
    assert_eq!(breaker.results[OutcomeKind::Success as usize], 2, "the trials closed it");
}

#[tokio::test]
async fn a_flood_of_denials_opens_nothing() {
    let backend = Backend::start("token", Manner::Denies);
    let mut service = token([backend.address.clone()]);
    (service.breaker, service.endpoint_breaker) = (quick(), quick());
    let mesh = mesh([service]).await;
    let client = mesh.service("token").unwrap().operation("login");
    for _ in 0..100 {
        assert_eq!(send(&client, Method::POST).await.unwrap().0, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(state(&mesh), State::Closed);
    let metrics = mesh.metrics();
    let login = metrics.service("token").unwrap().operation("login").unwrap();
    assert_eq!(login.breaker.state, State::Closed);
    assert_eq!(login.breaker.results[OutcomeKind::Denied as usize], 100);
}

#[tokio::test]
async fn a_trial_that_comes_too_late_is_told_with_the_phase_that_ended_without_it() {
    let mut service = token([nowhere()]);
    let short = Duration::from_millis(1);
    let wait = Wait { first: short, jitter: Jitter::None, ..quick().wait };
    service.endpoint_breaker = Policy { wait, trial_limit: Some(short), trials: 1, ..quick() };
    service.endpoint_breaker.closes_at = 1;
    let mesh = mesh([service]).await;
    let (mut events, client) = (mesh.events(), mesh.service("token").unwrap());
    let instance = mesh.status().services[0].instances[0].id.clone();
    let key: BreakerKey = format!("token@{instance}").parse().unwrap();
    mesh.command_breaker(&key, Command::OpenFor(Duration::ZERO), "a test", "a drill").unwrap();
    let pick = || async {
        loop {
            if let Ok(picked) = client.pick() {
                return picked;
            }
            tokio::task::yield_now().await;
        }
    };
    let late = within(pick()).await;
    let next = within(pick()).await;
    late.done(classify::ldap(0, false));
    drop(next);

    let mut told = Vec::new();
    while told.len() < 4 {
        if let EventKind::EndpointBreaker { transition, .. } =
            within(events.next()).await.unwrap().kind
        {
            told.push((transition.from.word(), transition.to.word(), transition.cause));
        }
    }
    let expected = [
        ("closed", "open", Cause::Operator),
        ("open", "half_open", Cause::WaitEnded),
        ("half_open", "open", Cause::TrialLimit),
        ("open", "half_open", Cause::WaitEnded),
    ];
    assert_eq!(told, expected);
    let trials = mesh.metrics().service("token").unwrap().endpoint_breakers.trials;
    assert!(trials[TrialResult::Late as usize] >= 1, "{trials:?}");
}
