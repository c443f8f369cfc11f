//! Another attempt elsewhere: when it is made, and when it must not be.

use std::time::Duration;

use authmesh::ErrorKind;
use authmesh::retry::{Methods, OperationClass};
use authmesh::worker::Deadline;
use http::{Method, Request, StatusCode};

use crate::backend::{Backend, Manner, nowhere};
use crate::mesh::{mesh, send, send_with, token};

const REQUESTS: usize = 40;

#[tokio::test]
async fn requests_go_elsewhere_when_an_instance_dies() {
    let (stays, dies) =
        (Backend::start("stays", Manner::Answers), Backend::start("dies", Manner::Answers));
    let mesh = mesh([token([stays.address.clone(), dies.address.clone()])]).await;
    let client = mesh.service("token").unwrap();
    for _ in 0..REQUESTS {
        assert_eq!(send(&client, Method::GET).await.unwrap().0, StatusCode::OK);
    }
    assert!(dies.requests() > 0, "it had its share");
    drop(dies);
    for _ in 0..REQUESTS {
        assert_eq!(send(&client, Method::GET).await.unwrap().1, "stays");
    }
    let metrics = mesh.metrics();
    let operation = metrics.service("token").unwrap().operation("default").unwrap();
    assert_eq!(operation.answered, 2 * REQUESTS as u64);
    assert!(operation.retries > 0 && operation.failed.iter().sum::<u64>() == 0, "{operation:?}");
    let attempts: u64 = operation.breaker.results.iter().sum();
    assert_eq!(attempts, operation.answered + operation.retries);
}

#[tokio::test]
async fn what_may_be_repeated_is_repeated_and_what_is_single_use_never() {
    let hang_up = || Backend::start("hangs up", Manner::HangsUp);
    // method, class, how often it may have been read by a server
    let table = [
        (Method::GET, None, 3),
        (Method::POST, None, 1),
        (Method::POST, Some(OperationClass::Idempotent), 3),
        (Method::GET, Some(OperationClass::SingleUse), 1),
        (Method::POST, Some(OperationClass::SingleUse), 1),
    ];
    for (method, class, sent) in table {
        let backends = [hang_up(), hang_up(), hang_up()];
        let mesh = mesh([token(backends.each_ref().map(|backend| backend.address.clone()))]).await;
        let client = mesh.service("token").unwrap();
        let client = class.map_or(client.clone(), |class| client.class(class));
        let error = send(&client, method.clone()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UpstreamReset);
        assert!(error.endpoint().is_some());
        let read: usize = backends.iter().map(Backend::requests).sum();
        assert_eq!(read, sent, "{method} {class:?}");
        let most = backends.iter().map(Backend::requests).max();
        assert_eq!(most, Some(1), "each attempt went elsewhere");
    }
}

#[tokio::test]
async fn what_is_single_use_goes_elsewhere_if_no_connection_was_made() {
    let alive = Backend::start("alive", Manner::Answers);
    let mesh = mesh([token([nowhere(), alive.address.clone()])]).await;
    let client = mesh.service("token").unwrap().class(OperationClass::SingleUse);
    for _ in 0..10 {
        assert_eq!(send(&client, Method::POST).await.unwrap().1, "alive");
    }
    assert_eq!(alive.requests(), 10);
}

#[tokio::test]
async fn a_method_that_is_not_listed_is_not_repeated_even_if_it_was_not_sent() {
    let mut service = token([nowhere(), nowhere()]);
    service.retry.methods = Methods::NONE.with("GET").unwrap();
    let mesh = mesh([service]).await;
    let client = mesh.service("token").unwrap();
    for (method, retries) in [(Method::PUT, 0), (Method::GET, 2)] {
        let error = send(&client, method).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UpstreamReset);
        let metrics = mesh.metrics();
        let operation = metrics.service("token").unwrap().operation("default").unwrap();
        assert_eq!(operation.retries, retries);
    }
}

#[tokio::test]
async fn the_services_own_deadline_counts_against_the_service() {
    let silent = Backend::start("silent", Manner::KeepsSilent);
    let mut service = token([silent.address.clone()]);
    service.timeout = Duration::from_millis(50);
    let mesh = mesh([service]).await;
    let client = mesh.service("token").unwrap();
    let error = send(&client, Method::GET).await.unwrap_err();
    assert_eq!((error.kind(), error.kind().reason()), (ErrorKind::Deadline, "deadline"));
    assert_eq!(failures(&mesh), 1);
}

#[tokio::test]
async fn the_callers_own_deadline_blames_nobody() {
    let silent = Backend::start("silent", Manner::KeepsSilent);
    let mesh = mesh([token([silent.address.clone()])]).await;
    let client = mesh.service("token").unwrap();
    let mut request = Request::get("/introspect").body(Default::default()).unwrap();
    request.extensions_mut().insert(Deadline(Duration::from_millis(50)));
    let error = send_with(&client, request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deadline);
    assert_eq!(failures(&mesh), 0);
}

/// Failures in a row that the one instance's breaker has seen.
fn failures(mesh: &authmesh::Mesh) -> u32 {
    let metrics = mesh.metrics();
    metrics.service("token").unwrap().instances[0].breaker.counts.consecutive_failures
}
