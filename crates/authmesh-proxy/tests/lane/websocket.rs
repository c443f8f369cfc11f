//! Connections that go on as WebSocket.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::backend::{Backend, read_head, until_left};
use crate::client::{http2, read_all, request};
use crate::proxy::{Held, Running, text, until};

const ASK: &str = "GET /chat HTTP/1.1\r\nhost: token\r\nconnection: keep-alive, Upgrade\r\n\
                   upgrade: WebSocket\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                   sec-websocket-version: 13\r\n\r\n";
const GRANT: &str = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\n\
                     upgrade: websocket\r\nsec-websocket-accept: x\r\n\r\n";

/// Grants every request that arrives whole, then sends back in capitals what it is sent.
async fn echo() -> Backend {
    Backend::serving(async |mut stream| {
        let head = read_head(&mut stream).await.unwrap();
        for field in ["\r\nconnection: upgrade\r\n", "\r\nupgrade: websocket\r\n"] {
            assert!(head.contains(field), "{head}");
        }
        assert!(head.contains("\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"), "{head}");
        stream.write_all(GRANT.as_bytes()).await.unwrap();
        let mut buffer = [0; 1_024];
        while let Ok(read @ 1..) = stream.read(&mut buffer).await {
            if stream.write_all(&buffer[..read].to_ascii_uppercase()).await.is_err() {
                return;
            }
        }
    })
    .await
}

/// Asks to go on as WebSocket and reads the head of the answer.
async fn switch(proxy: &Running) -> (TcpStream, String) {
    let mut client = proxy.connect().await;
    client.write_all(ASK.as_bytes()).await.unwrap();
    let head = read_head(&mut client).await.unwrap();
    (client, head)
}

async fn echoes(client: &mut TcpStream, said: &str) {
    client.write_all(said.as_bytes()).await.unwrap();
    let mut heard = vec![0; said.len()];
    client.read_exact(&mut heard).await.unwrap();
    assert_eq!(heard, said.to_ascii_uppercase().as_bytes());
}

const CARRIED: Held = Held {
    connections: 1,
    requests: 0,
    in_flight: 1,
    permits: 0,
    upstream_connections: 1,
    tasks: 0,
};

#[tokio::test]
async fn bytes_go_both_ways_and_the_place_in_flight_is_kept_until_the_end() {
    let backend = echo().await;
    let proxy = Running::before(&backend.address, "").await;
    let (mut client, head) = switch(&proxy).await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    for field in
        ["connection: upgrade\r\n", "upgrade: websocket\r\n", "sec-websocket-accept: x\r\n"]
    {
        assert!(head.contains(field), "{head}");
    }
    for said in ["hello", "again", &"long ".repeat(50_000)] {
        echoes(&mut client, said).await;
    }
    until(|| proxy.held(), |held| *held == CARRIED).await;
    assert_eq!(proxy.attempts("success"), 1, "judged by the head");
    drop(client);
    proxy.until_nothing_is_held().await;
    until(|| backend.open(), |open| *open == 0).await;
}

#[tokio::test]
async fn what_a_client_sends_before_the_grant_waits_for_it() {
    let backend = Backend::serving(async |mut stream| {
        let head = read_head(&mut stream).await.unwrap();
        assert!(!head.contains("early"));
        let early = tokio::time::timeout(std::time::Duration::from_millis(50), stream.read_u8());
        assert!(early.await.is_err(), "nothing travels before the protocol was granted");
        stream.write_all(GRANT.as_bytes()).await.unwrap();
        let mut heard = [0; 5];
        stream.read_exact(&mut heard).await.unwrap();
        stream.write_all(&heard).await.unwrap();
    })
    .await;
    let proxy = Running::before(&backend.address, "").await;
    let mut client = proxy.connect().await;
    client.write_all(format!("{ASK}early").as_bytes()).await.unwrap();
    assert!(read_head(&mut client).await.unwrap().starts_with("HTTP/1.1 101 "));
    assert_eq!(read_all(&mut client).await, "early");
    drop(client);
    proxy.until_nothing_is_held().await;
}

#[tokio::test]
async fn an_endpoint_that_refuses_is_answered_for_as_ever() {
    let backend = Backend::serving(async |mut stream| {
        while read_head(&mut stream).await.is_some() {
            let answer = "HTTP/1.1 426 Upgrade Required\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    })
    .await;
    let proxy = Running::before(&backend.address, "").await;
    let (mut client, head) = switch(&proxy).await;
    assert!(head.starts_with("HTTP/1.1 426 ") && !head.contains("upgrade: "), "{head}");
    client.write_all(b"GET / HTTP/1.1\r\nhost: token\r\n\r\n").await.unwrap();
    assert!(read_head(&mut client).await.unwrap().starts_with("HTTP/1.1 426 "));
}

#[tokio::test]
async fn a_protocol_nobody_asked_for_is_a_fault_of_the_endpoint() {
    let other = GRANT.replace("upgrade: websocket", "upgrade: h2c");
    for (asked, granted) in [
        ("GET / HTTP/1.1\r\nhost: token\r\n\r\n", GRANT),
        ("GET / HTTP/1.1\r\nhost: token\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n", GRANT),
        (ASK, &other),
    ] {
        let granted = granted.to_owned();
        let backend = Backend::serving(move |mut stream| {
            let granted = granted.clone();
            async move {
                read_head(&mut stream).await.unwrap();
                stream.write_all(granted.as_bytes()).await.unwrap();
                until_left(&mut stream).await;
            }
        })
        .await;
        let proxy = Running::before(&backend.address, "retry = \"off\"\n").await;
        let mut client = proxy.connect().await;
        client.write_all(asked.as_bytes()).await.unwrap();
        let head = read_head(&mut client).await.unwrap();
        assert!(head.starts_with("HTTP/1.1 502 "), "{asked}: {head}");
        assert_eq!(proxy.attempts("failure"), 1, "{asked}");
        until(|| backend.open(), |open| *open == 0).await;
    }
}

#[tokio::test]
async fn a_connection_on_which_nothing_moves_is_closed() {
    let backend = echo().await;
    let proxy = Running::before(&backend.address, "[limits]\nidle_timeout = \"200ms\"\n").await;
    let (mut client, _) = switch(&proxy).await;
    echoes(&mut client, "hello").await;
    assert_eq!(read_all(&mut client).await, "");
    proxy.until_nothing_is_held().await;
}

#[tokio::test]
async fn it_ends_when_its_request_may_no_longer_pass_and_not_before() {
    let backend = echo().await;
    let proxy = Running::before(&backend.address, "").await;
    let (mut client, _) = switch(&proxy).await;
    echoes(&mut client, "hello").await;
    let rules = |paths: &str| {
        let rule = "[[policy]]\nname = \"chat\"\naction = \"allow\"\nservice = \"token\"\nfrom = \"anyone\"";
        let text = text(&backend.address, &format!("{rule}\npaths = [\"{paths}\"]\n"));
        text.replace("default = \"allow\"", "default = \"deny\"")
    };
    proxy.reload(&rules("/{**}")).await;
    echoes(&mut client, "still").await;
    proxy.reload(&rules("/elsewhere")).await;
    assert_eq!(read_all(&mut client).await, "");
    proxy.until_nothing_is_held().await;
    assert_eq!(proxy.attempts("failure"), 0, "the endpoint did nothing wrong");
}

#[tokio::test]
async fn a_stop_closes_it_and_does_not_wait() {
    let backend = echo().await;
    let proxy = Running::before(&backend.address, "").await;
    let (mut client, _) = switch(&proxy).await;
    echoes(&mut client, "hello").await;
    assert_eq!(proxy.stop().await.cut_off, 0);
    assert_eq!(read_all(&mut client).await, "");
    until(|| backend.open(), |open| *open == 0).await;
}

#[tokio::test]
async fn http2_has_no_change_of_protocol_on_either_side() {
    let backend = echo().await;
    let proxy = Running::before(&backend.address, "").await;
    let mut client = http2(&proxy).await;
    let mut connect = request("/chat");
    *connect.method_mut() = http::Method::CONNECT;
    connect.extensions_mut().insert(hyper::ext::Protocol::from_static("websocket"));
    // The proxy does not offer extended CONNECT, so a client may not even send it.
    assert!(client.send_request(connect).await.is_err());
    assert_eq!(backend.open(), 0);
}
