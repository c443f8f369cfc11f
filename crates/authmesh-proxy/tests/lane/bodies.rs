//! Requests whose own body is at fault.

use tokio::io::AsyncWriteExt;

use crate::backend::{Backend, read_head, until_left};
use crate::client::{exchange, read_all};
use crate::proxy::Running;

/// Reads whatever comes and answers nothing.
async fn silent() -> Backend {
    Backend::serving(async |mut stream| {
        if read_head(&mut stream).await.is_some() {
            until_left(&mut stream).await;
        }
    })
    .await
}

#[tokio::test]
async fn a_body_that_stalls_breaks_off_or_is_malformed_gets_the_status_that_says_so() {
    let backend = silent().await;
    let limits = "[limits]\nbody = \"16B\"\nbody_idle_timeout = \"200ms\"\n";
    let proxy = Running::before(&backend.address, limits).await;
    // What follows the method, the status, the reason.
    let cases = [
        ("POST", "content-length: 9\r\n\r\nfour", 408, "limit"),
        ("PUT", "content-length: 9\r\n\r\nfour", 408, "limit"),
        ("POST", "content-length: 17\r\n\r\n", 413, "limit"),
        ("POST", "transfer-encoding: chunked\r\n\r\n11\r\n12345678901234567\r\n", 413, "limit"),
        ("POST", "transfer-encoding: chunked\r\n\r\nzz\r\n", 400, "bad_request"),
    ];
    for (method, rest, status, reason) in cases {
        let mut client = proxy.connect().await;
        let text = format!("{method} / HTTP/1.1\r\nhost: token\r\n{rest}");
        let answer = exchange(&mut client, &text).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{text}: {answer}");
        assert!(answer.contains(&format!("x-authmesh-reason: {reason}\r\n")), "{text}: {answer}");
    }
    proxy.until_nothing_is_held().await;
    assert_eq!(proxy.attempts("failure"), 0, "the caller's fault is nobody else's");
}

#[tokio::test]
async fn a_client_that_leaves_in_the_middle_of_its_body_leaves_nothing_behind() {
    let backend = silent().await;
    let proxy = Running::before(&backend.address, "").await;
    let mut client = proxy.connect().await;
    client.write_all(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nfour").await.unwrap();
    client.shutdown().await.unwrap();
    read_all(&mut client).await;
    proxy.until_nothing_is_held().await;
    assert_eq!(proxy.attempts("failure"), 0);
}
