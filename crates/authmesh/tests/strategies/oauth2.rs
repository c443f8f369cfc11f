//! A token endpoint says in the body of a refusal whether it failed or said no.

use authmesh::config::Classifier;
use authmesh::worker::Treatment;
use authmesh::{ErrorKind, ServiceClient};

use crate::backend::{Raw, answer, get, mesh, operation, whole};

const JSON: &str = "content-type: application/json\r\ncache-control: no-store\r\n";

fn treated(client: &ServiceClient) -> ServiceClient {
    client.treated(Treatment { classifier: Classifier::OAuth2, ..Treatment::default() })
}

/// Sends 30 requests for `body` with `status`, each read to its end, and returns the state of the
/// endpoint's breaker and its failures.
async fn after_thirty(status: u16, fields: &'static str, body: &str) -> (&'static str, u64) {
    let text = answer(status, fields, body);
    let server = Raw::start(move |_| text.clone()).await;
    let (mesh, client) = mesh([server.address.clone()], |_| {}).await;
    let client = treated(&client);
    let mut refused = 0;
    for _ in 0..30 {
        match whole(client.send(get("/token")).await).await {
            Ok((found, bytes, _)) => {
                assert_eq!((found, &bytes[..]), (status, body.as_bytes()), "byte by byte");
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::BreakerOpen);
                refused += 1;
            }
        }
    }
    assert_eq!(server.asked() + refused, 30);
    let instance = mesh.status().services[0].instances[0].clone();
    (instance.breaker.state, operation(&mesh).breaker.failures)
}

#[tokio::test]
async fn a_refusal_of_the_caller_never_opens_a_breaker_and_one_of_the_server_does() {
    let grant = r#"{"error":"invalid_grant","error_description":"expired"}"#;
    let broken = r#"{"error":"server_error"}"#;
    let long = format!(r#"{{"error":"server_error","error_description":"{}"}}"#, "x".repeat(9_000));
    for (status, fields, body, state) in [
        (400, JSON, grant, "closed"),
        (401, JSON, r#"{"error":"invalid_client"}"#, "closed"),
        (400, JSON, r#"{"error":"authorization_pending"}"#, "closed"),
        (401, JSON, "", "closed"),
        (400, JSON, "[1, 2]", "closed"),
        (400, "content-type: text/html\r\n", "<p>no</p>", "closed"),
        (400, JSON, long.as_str(), "closed"),
        (400, JSON, broken, "open"),
        (401, JSON, r#"{"error":"temporarily_unavailable"}"#, "open"),
        (400, JSON, r#"{"error":"#, "open"),
        (200, JSON, broken, "closed"),
    ] {
        let (found, failures) = after_thirty(status, fields, body).await;
        assert_eq!(found, state, "{status} {body:.60}");
        assert_eq!(failures > 0, state == "open", "{status} {body:.60}");
    }
}

#[tokio::test]
async fn a_body_that_comes_in_chunks_is_judged_and_delivered() {
    let text = "HTTP/1.1 400 X\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\
                connection: close\r\n\r\n9\r\n{\"error\":\r\nf\r\n\"server_error\"}\r\n0\r\n\r\n";
    let server = Raw::start(move |_| text.to_owned()).await;
    let (mesh, client) = mesh([server.address.clone()], |_| {}).await;
    let (status, body, _) = whole(treated(&client).send(get("/")).await).await.unwrap();
    assert_eq!((status, &body[..]), (400, &br#"{"error":"server_error"}"#[..]));
    assert_eq!(operation(&mesh).breaker.failures, 1);
}

#[tokio::test]
async fn a_refusal_that_breaks_off_is_a_failure_and_not_half_an_answer() {
    let text =
        "HTTP/1.1 400 X\r\ncontent-type: application/json\r\ncontent-length: 90\r\n\r\n{\"err";
    let server = Raw::start(move |_| text.to_owned()).await;
    let (mesh, client) = mesh([server.address.clone()], |_| {}).await;
    let error = treated(&client).send(get("/")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UpstreamReset);
    assert_eq!(operation(&mesh).breaker.failures, 1);
}
