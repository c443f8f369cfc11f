//! Whoever leaves, and however a backend ends: afterwards nothing is held.

use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::backend::{Backend, read_head, reset, until_left};
use crate::client::{exchange, http2, request};
use crate::proxy::{Running, until};

/// What a backend does with a request, by its path.
async fn serve(mut stream: TcpStream) {
    while let Some(head) = read_head(&mut stream).await {
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let said = match path.as_str() {
            "/reset-before-head" => "",
            "/reset-in-head" | "/end-in-head" => "HTTP/1.1 200 OK\r\ncontent-le",
            "/reset-in-body" | "/end-in-body" | "/wait-in-body" => {
                "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nsome"
            }
            "/reset-in-chunk" => "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nso",
            "/wait-before-head" => return until_left(&mut stream).await,
            _ => "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine",
        };
        if stream.write_all(said.as_bytes()).await.is_err() {
            return;
        }
        match path.split('-').next() {
            Some("/reset") => return reset(stream),
            Some("/end") => return,
            Some("/wait") => return until_left(&mut stream).await,
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_backend_that_breaks_off_anywhere_leaves_nothing_held() {
    let backend = Backend::serving(serve).await;
    let proxy = Running::before(&backend.address, QUIET).await;
    // The path, the status if the head of an answer comes, and whether the answer is whole.
    let cases = [
        ("/reset-before-head", 502, true),
        ("/reset-in-head", 502, true),
        ("/end-in-head", 502, true),
        ("/reset-in-body", 200, false),
        ("/end-in-body", 200, false),
        ("/reset-in-chunk", 200, false),
        ("/fine", 200, true),
    ];
    for (path, status, is_whole) in cases {
        let mut client = proxy.connect().await;
        let text = format!("POST {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        let answer = exchange(&mut client, &text).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {answer}");
        let says_it_ended = answer.contains("\r\n0\r\n\r\n") || answer.ends_with(['}', 'e']);
        assert_eq!(says_it_ended && !answer.ends_with("some"), is_whole, "{path}: {answer}");

        let mut client = http2(&proxy).await;
        let mut request = request(path);
        *request.method_mut() = http::Method::POST;
        let answer = client.send_request(request).await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        assert_eq!(answer.into_body().collect().await.is_ok(), is_whole, "{path}");
    }
    let rest = until(|| proxy.held(), |held| held.connections == 0 && held.tasks == 0).await;
    assert_eq!((rest.requests, rest.in_flight, rest.permits), (0, 0, 0));
    assert_eq!(proxy.attempts("failure"), 12);
}

#[tokio::test]
async fn a_client_that_leaves_anywhere_leaves_nothing_held() {
    let backend = Backend::serving(serve).await;
    let proxy = Running::before(&backend.address, QUIET).await;
    for path in ["/wait-before-head", "/wait-in-body"] {
        let mut client = proxy.connect().await;
        let text = format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n");
        client.write_all(text.as_bytes()).await.unwrap();
        until(|| proxy.held().in_flight, |in_flight| *in_flight == 1).await;
        if path == "/wait-in-body" {
            client.read_exact(&mut [0; 20]).await.unwrap();
        }
        drop(client);
        proxy.until_nothing_is_held().await;

        let mut client = http2(&proxy).await;
        let mut answer = Box::pin(client.send_request(request(path)));
        if path == "/wait-in-body" {
            let answer = answer.as_mut().await.unwrap();
            until(|| proxy.held().in_flight, |in_flight| *in_flight == 1).await;
            drop(answer);
        } else {
            tokio::select! {
                _ = &mut answer => panic!("nobody answers"),
                _ = until(|| proxy.held().in_flight, |in_flight| *in_flight == 1) => {}
            }
            drop(answer);
        }
        // The stream alone is given up; its connection stays.
        until(|| proxy.held().in_flight, |in_flight| *in_flight == 0).await;
        assert_eq!(proxy.held().connections, 1);
        drop(client);
        proxy.until_nothing_is_held().await;
    }
    let mut half = proxy.connect().await;
    half.write_all(b"GET / HTTP/1.1\r\nho").await.unwrap();
    until(|| proxy.held().connections, |open| *open == 1).await;
    drop(half);
    proxy.until_nothing_is_held().await;
    assert_eq!((proxy.attempts("neutral"), proxy.attempts("failure")), (4, 0));
}

#[tokio::test]
async fn a_crowd_that_leaves_at_random_leaves_nothing_held() {
    let backend = Backend::serving(serve).await;
    let proxy = Running::before(&backend.address, QUIET).await;
    let paths = ["/wait-before-head", "/wait-in-body", "/reset-in-body", "/fine", "/end-in-head"];
    for round in 0..40_usize {
        let mut crowd = Vec::new();
        for place in 0..8 {
            let path = paths[(round * 3 + place) % paths.len()];
            let mut client = proxy.connect().await;
            let text = format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n");
            // A part of the request, the whole, or the whole and the beginning of the answer.
            let sent = if place % 3 == 0 { text.len() / 2 } else { text.len() };
            client.write_all(&text.as_bytes()[..sent]).await.unwrap();
            if place % 3 == 2 && path != "/wait-before-head" {
                let _ = client.read(&mut [0; 16]).await;
            }
            crowd.push(client);
        }
    }
    let rest = until(|| proxy.held(), |held| held.connections == 0 && held.tasks == 0).await;
    assert_eq!((rest.requests, rest.in_flight, rest.permits), (0, 0, 0));
}

/// One attempt a request, and breakers that stay out of the way.
const QUIET: &str = "retry = \"off\"\nbreaker = \"off\"\nendpoint_breaker = \"off\"\n";
