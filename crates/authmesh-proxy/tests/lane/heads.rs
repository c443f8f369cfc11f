//! What becomes of a request's head on its way upstream.

use http::header::COOKIE;
use tokio::io::AsyncWriteExt;

use crate::backend::{Backend, read_head};
use crate::client::{exchange, http2, request, whole};
use crate::proxy::Running;

/// Answers with the head it got.
async fn mirror() -> Backend {
    Backend::serving(async |mut stream| {
        while let Some(head) = read_head(&mut stream).await {
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{head}", head.len());
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    })
    .await
}

#[tokio::test]
async fn cookies_of_http2_arrive_in_one_field() {
    let backend = mirror().await;
    let proxy = Running::before(&backend.address, "").await;
    let mut request = request("/");
    for crumb in ["a=1", "b=2"] {
        request.headers_mut().append(COOKIE, crumb.parse().unwrap());
    }
    let answer = http2(&proxy).await.send_request(request).await.unwrap();
    let seen = String::from_utf8(whole(answer).await.unwrap().to_vec()).unwrap();
    assert!(seen.contains("\r\ncookie: a=1; b=2\r\n"), "{seen}");
    assert!(seen.contains("\r\nhost: token\r\n"), "{seen}");
}

#[tokio::test]
async fn the_path_and_host_that_were_judged_are_the_ones_that_arrive() {
    let backend = mirror().await;
    let proxy = Running::before(&backend.address, "").await;
    for (target, host, path, named) in [
        ("/a", "a", "/a", "a"),
        ("/%61", "a", "/a", "a"),
        ("/a//b", "a", "/a/b", "a"),
        // These are shorter than what came, and begin as it does.
        ("/admin/..", "a", "/", "a"),
        ("/a/b/..", "a", "/a/", "a"),
        ("/a//", "a", "/a/", "a"),
        ("/a/..?x=1", "a", "/?x=1", "a"),
        ("http://one/a/..", "other", "/", "one"),
    ] {
        let text = format!("GET {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        let seen = exchange(&mut proxy.connect().await, &text).await;
        assert!(seen.contains(&format!("\r\n\r\nGET {path} HTTP/1.1\r\n")), "{target}: {seen}");
        assert!(seen.contains(&format!("\r\nhost: {named}\r\n")), "{target}: {seen}");
        assert!(!seen.contains("other"), "{target}: {seen}");
    }
}
