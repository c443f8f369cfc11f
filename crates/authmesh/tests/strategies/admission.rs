//! More than a service carries is refused at once, the least important first.

use authmesh::ErrorKind;
use authmesh::ServiceClient;
use authmesh::worker::Treatment;
use authmesh_logic::concurrency::{Algorithm, Policy, Priority};
use authmesh_logic::throttle::{self, Formula};

use crate::backend::{Raw, answer, get, mesh, operation, whole};

fn at(client: &ServiceClient, priority: u8) -> ServiceClient {
    let priority = Priority::new(priority).unwrap();
    client.treated(Treatment { priority, ..Treatment::default() })
}

#[tokio::test]
async fn the_least_important_are_refused_first_and_places_come_back() {
    // The body is short of what its head says, so an answer stays under way while it is held.
    let text = "HTTP/1.1 200 X\r\ncontent-length: 9\r\n\r\nhal";
    let server = Raw::start(move |_| text.to_owned()).await;
    let policy = Policy { initial: 10, least: 10, most: 10, ..Policy::of(Algorithm::AIMD) };
    let (mesh, client) = mesh([server.address.clone()], |service| {
        service.admission.concurrency = Some(policy);
        service.endpoint_breaker.consecutive_failures = None;
    })
    .await;
    let mut held = Vec::new();
    for (priority, filled) in [(4, 6), (2, 9), (0, 10)] {
        let client = at(&client, priority);
        let refused = loop {
            match client.send(get("/")).await {
                Ok(answer) => held.push(answer),
                Err(refused) => break refused,
            }
        };
        assert_eq!((refused.kind(), held.len()), (ErrorKind::Overloaded, filled));
        assert!(refused.retry_after().is_some());
    }
    let admission = operation(&mesh).admission.unwrap();
    assert_eq!((admission.limit, admission.in_flight), (Some(10), Some(10)));
    drop(held);
    assert_eq!(operation(&mesh).admission.unwrap().in_flight, Some(0));
    assert!(at(&client, 4).send(get("/")).await.is_ok());
}

#[tokio::test]
async fn a_request_that_gets_no_answer_gives_its_place_back_and_lowers_the_limit() {
    let server = Raw::start(|_| String::new()).await;
    let policy = Policy { initial: 10, least: 2, most: 10, ..Policy::of(Algorithm::AIMD) };
    let (mesh, client) = mesh([server.address.clone()], |service| {
        service.admission.concurrency = Some(policy);
        service.retry.attempts = 3;
    })
    .await;
    assert_eq!(client.send(get("/")).await.unwrap_err().kind(), ErrorKind::UpstreamReset);
    assert!(server.asked() > 1, "attempts of one request share its place");
    let admission = operation(&mesh).admission.unwrap();
    assert_eq!((admission.limit, admission.in_flight), (Some(9), Some(0)));
}

#[tokio::test]
async fn what_a_dead_service_is_asked_is_mostly_refused_by_the_throttle() {
    let server = Raw::start(|_| answer(500, "", "")).await;
    let policy =
        throttle::Policy { minimum_requests: 5, ..throttle::Policy::of(Formula::GOOGLE_SRE) };
    let (mesh, client) = mesh([server.address.clone()], |service| {
        service.admission.throttle = Some(policy);
        service.breaker.failure_rate = None;
        service.endpoint_breaker.consecutive_failures = None;
        service.endpoint_breaker.failure_rate = None;
    })
    .await;
    // Bounded by the throttle's own tick: it judges anew ten times a second.
    let refused = loop {
        if let Err(refused) = whole(client.send(get("/")).await).await {
            break refused;
        }
    };
    assert_eq!(refused.kind(), ErrorKind::Overloaded);
    assert!(operation(&mesh).admission.unwrap().shed.unwrap() > 0.5);
}
