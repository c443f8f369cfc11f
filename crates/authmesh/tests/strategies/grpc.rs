//! A gRPC answer says at its end how it went.

use authmesh::ServiceClient;
use authmesh::config::{Classifier, Protocol};
use authmesh::worker::Treatment;
use http::HeaderMap;

use crate::backend::{get, grpc, mesh, operation, whole};

/// Fields of trailers, written out.
type Fields = &'static [(&'static str, &'static str)];

fn trailers(fields: Fields) -> Option<HeaderMap> {
    let pair = |(name, value): &(&'static str, &'static str)| {
        (name.parse::<http::HeaderName>().unwrap(), http::HeaderValue::from_static(value))
    };
    (!fields.is_empty()).then(|| fields.iter().map(pair).collect())
}

fn treated(client: &ServiceClient) -> ServiceClient {
    client.treated(Treatment { classifier: Classifier::Grpc, ..Treatment::default() })
}

#[tokio::test]
async fn the_status_at_the_end_decides_and_reaches_the_caller() {
    let rows: [(Fields, u64, u64); 6] = [
        (&[("grpc-status", "0")], 1, 0),
        (&[("grpc-status", "14")], 1, 1),
        (&[("grpc-status", "13")], 1, 1),
        // A denial counts only beside other successes.
        (&[("grpc-status", "16")], 0, 0),
        (&[("grpc-status", "7")], 0, 0),
        (&[], 1, 1),
    ];
    for (fields, calls, failures) in rows {
        let address = grpc(move || trailers(fields)).await;
        let (mesh, client) = mesh([address], |service| service.protocol = Protocol::Http2).await;
        let (status, body, found) =
            whole(treated(&client).send(get("/x.Y/Z")).await).await.unwrap();
        assert_eq!((status, &body[..]), (200, &b"\0\0\0\0\0"[..]));
        assert_eq!(found, trailers(fields));
        let breaker = operation(&mesh).breaker;
        assert_eq!((breaker.calls, breaker.failures), (calls, failures), "{fields:?}");
    }
}

#[tokio::test]
async fn a_deadline_blames_the_service_only_if_the_caller_waited_long_enough() {
    for (patience, failures) in [("4S", 0), ("6S", 1), ("", 1)] {
        let address = grpc(|| trailers(&[("grpc-status", "4")])).await;
        let (mesh, client) = mesh([address], |service| service.protocol = Protocol::Http2).await;
        let mut request = get("/x.Y/Z");
        if !patience.is_empty() {
            request.headers_mut().insert("grpc-timeout", patience.parse().unwrap());
        }
        whole(treated(&client).send(request).await).await.unwrap();
        assert_eq!(operation(&mesh).breaker.failures, failures, "{patience}");
    }
}

#[tokio::test]
async fn a_caller_who_leaves_before_the_end_blames_nobody() {
    let address = grpc(|| trailers(&[("grpc-status", "14")])).await;
    let (mesh, client) = mesh([address], |service| service.protocol = Protocol::Http2).await;
    drop(treated(&client).send(get("/x.Y/Z")).await.unwrap());
    let breaker = operation(&mesh).breaker;
    assert_eq!((breaker.calls, breaker.failures), (0, 0));
}

#[tokio::test]
async fn a_pushback_closes_the_quota() {
    let fields = &[("grpc-status", "8"), ("grpc-retry-pushback-ms", "30000")];
    let address = grpc(move || trailers(fields)).await;
    let (mesh, client) = mesh([address], |service| service.protocol = Protocol::Http2).await;
    let client = treated(&client);
    whole(client.send(get("/x.Y/Z")).await).await.unwrap();
    let refused = client.send(get("/x.Y/Z")).await.unwrap_err();
    assert_eq!(refused.kind().reason(), "overloaded");
    assert!(operation(&mesh).quota_closed_for_ms.unwrap() > 20_000);
}
