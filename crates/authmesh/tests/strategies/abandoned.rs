//! Who gives up on a service that hangs shows that it is slow; who never sent a request does not.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use authmesh::circuit_breaker::SlowTrip;
use authmesh::config::ServiceConfig;
use authmesh::worker::{Deadline, RequestBody};
use authmesh_logic::Ratio;
use bytes::Bytes;
use http::Method;
use http_body::{Body, Frame};
use tokio::net::TcpListener;

use crate::backend::{get, mesh, operation};

/// A body whose client has stopped in the middle.
struct Stuck;

impl Body for Stuck {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

/// Any caller who waits at all after the request is sent shows slowness.
fn impatient(service: &mut ServiceConfig) {
    let slower_than = Duration::from_nanos(1);
    let trip = SlowTrip { slower_than, threshold: Ratio::ONE, minimum_calls: 1_000 };
    service.breaker.slow_rate = Some(trip);
}

#[tokio::test]
async fn a_request_that_was_sent_and_given_up_counts_as_slow() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = authmesh::discovery::Address::Tcp(silent.local_addr().unwrap());
    let (mesh, client) = mesh([address], impatient).await;
    let mut request = get("/");
    request.extensions_mut().insert(Deadline(Duration::from_millis(20)));
    client.send(request).await.unwrap_err();
    let breaker = operation(&mesh).breaker;
    assert_eq!((breaker.calls, breaker.failures, breaker.slow), (1, 0, 1));
}

#[tokio::test]
async fn a_request_whose_body_never_ended_says_nothing() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = authmesh::discovery::Address::Tcp(silent.local_addr().unwrap());
    let (mesh, client) = mesh([address], impatient).await;
    let mut request = get("/").map(|_| RequestBody::streamed(Stuck));
    *request.method_mut() = Method::POST;
    request.extensions_mut().insert(Deadline(Duration::from_millis(20)));
    client.send(request).await.unwrap_err();
    let breaker = operation(&mesh).breaker;
    assert_eq!((breaker.calls, breaker.slow), (0, 0));
}
