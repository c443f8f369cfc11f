//! A throttled answer closes its quota, and nothing else.

use std::time::Duration;

use authmesh::ErrorKind;
use authmesh::telemetry::EventKind;

use crate::backend::{Raw, answer, get, mesh, operation, whole};

#[tokio::test]
async fn a_throttled_operation_is_left_alone_and_the_others_are_not() {
    let server = Raw::start(|_| answer(429, "retry-after: 3600\r\n", "slow down")).await;
    let (mesh, client) = mesh([server.address.clone()], |_| {}).await;
    let mut events = mesh.events();
    let (status, ..) = whole(client.send(get("/")).await).await.unwrap();
    assert_eq!(status, 429, "the answer itself is passed on");

    let refused = client.send(get("/")).await.unwrap_err();
    assert_eq!((refused.kind(), server.asked()), (ErrorKind::Overloaded, 1));
    let wait = refused.retry_after().unwrap();
    assert!(wait <= Duration::from_secs(60) && wait > Duration::from_secs(40), "{wait:?}");
    let told = events.next().await.unwrap().kind;
    let EventKind::QuotaClosed { quota, lasts } = told else { panic!("{told:?}") };
    assert_eq!((quota.as_str(), lasts), ("default", Duration::from_secs(60)));

    assert!(client.operation("other").send(get("/")).await.is_ok());
    let breaker = operation(&mesh).breaker;
    assert_eq!((breaker.state, breaker.calls, breaker.failures), ("closed", 0, 0));
}

#[tokio::test]
async fn what_shares_a_quota_pauses_together() {
    let server = Raw::start(|_| answer(503, "retry-after: 30\r\n", "")).await;
    let (_mesh, client) = mesh([server.address.clone()], |_| {}).await;
    let (one, two) = (client.operation("one").quota("idp"), client.operation("two").quota("idp"));
    assert!(one.send(get("/")).await.is_ok());
    assert_eq!(two.send(get("/")).await.unwrap_err().kind(), ErrorKind::Overloaded);
    assert!(client.operation("one").send(get("/")).await.is_ok(), "its own quota is open");
}

#[tokio::test]
async fn an_answer_that_names_no_pause_closes_nothing() {
    let server = Raw::start(|_| answer(429, "", "")).await;
    let (_mesh, client) = mesh([server.address.clone()], |_| {}).await;
    for _ in 0..30 {
        assert!(client.send(get("/")).await.is_ok());
    }
}
