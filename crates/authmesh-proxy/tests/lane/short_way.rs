//! Requests that came whole are passed on as bytes: what arrives, on either side, is what the long way
//! brings.

use std::sync::Arc;

use authmesh_testkit::tokens::{IssuerServer, SigningKey, claims};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Barrier, watch};

use crate::backend::{Backend, read_head};
use crate::client::exchange;
use crate::proxy::{Running, until};

/// A request that the short way does not take; the connection that brings it goes the long way from
/// then on.
const ODD: &str = "GET /odd HTTP/1.1\r\nhost: token\r\nte: trailers\r\n\r\n";

/// A large body, as the backend sends it.
const LARGE: usize = 300_000;

/// Says in its answers what it was asked, or what the path wants.
async fn backend() -> Backend {
    Backend::serving(async |mut stream| {
        while let Some(head) = read_head(&mut stream).await {
            let body = read_body(&mut stream, &head).await;
            let path = head.split(' ').nth(1).unwrap();
            let large = "x".repeat(LARGE);
            let answer = match path {
                "/length" => format!("HTTP/1.1 200 OK\r\ncontent-length: {LARGE}\r\n\r\n{large}"),
                "/chunks" => format!(
                    "HTTP/1.1 203 Well\r\nTransfer-Encoding: Chunked\r\nX-Made-By: me\r\n\r\n\
                     3\r\nabc\r\n{LARGE:X};a=b\r\n{large}\r\n0\r\nx-after: a\r\n\r\n"
                ),
                "/until-the-end" => format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{large}"),
                "/nothing" => "HTTP/1.1 204 No Content\r\netag: a\r\n\r\n".to_owned(),
                "/same" => "HTTP/1.1 304 Not Modified\r\ncontent-length: 7\r\n\r\n".to_owned(),
                "/head" => "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n".to_owned(),
                "/denied" => "HTTP/1.1 401 No\r\ncontent-length: 2\r\nx-authmesh-secret: a\r\n\
                              keep-alive: a\r\nserver: a\r\n\r\nno"
                    .to_owned(),
                "/named" => "HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Inner\r\nx-inner: a\r\n\
                             x-outer: a\r\ncontent-length: 2\r\nconnection: content-length\r\n\r\nok"
                    .to_owned(),
                "/two-lengths" => {
                    "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\na".to_owned()
                }
                "/early" => "HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\nHTTP/1.1 100 Go on\r\n\r\n\
                             HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
                    .to_owned(),
                _ => {
                    let mirrored = format!("{head}{body}");
                    let length = mirrored.len();
                    format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{mirrored}")
                }
            };
            stream.write_all(answer.as_bytes()).await.unwrap();
            if path == "/until-the-end" {
                return;
            }
        }
    })
    .await
}

async fn read_body(stream: &mut TcpStream, head: &str) -> String {
    let mut body = vec![0; length_of(head)];
    stream.read_exact(&mut body).await.unwrap();
    String::from_utf8(body).unwrap()
}

fn length_of(head: &str) -> usize {
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.map_or(0, |length| length.parse().unwrap())
}

/// Sends a request and reads the head of its answer, sorted, and its body.
async fn ask(stream: &mut TcpStream, request: &str) -> (Vec<String>, Vec<u8>) {
    stream.write_all(request.as_bytes()).await.unwrap();
    let head = read_head(stream).await.unwrap();
    let is_bodiless = request.starts_with("HEAD")
        || head.starts_with("HTTP/1.1 204")
        || head.starts_with("HTTP/1.1 304");
    let mut body = Vec::new();
    if head.contains("transfer-encoding: chunked") && !is_bodiless {
        loop {
            let size = read_line(stream).await;
            let mut chunk = vec![0; usize::from_str_radix(&size, 16).unwrap()];
            stream.read_exact(&mut chunk).await.unwrap();
            assert_eq!(read_line(stream).await, "");
            if chunk.is_empty() {
                break;
            }
            body.extend_from_slice(&chunk);
        }
    } else if !is_bodiless {
        body.resize(length_of(&head), 0);
        stream.read_exact(&mut body).await.unwrap();
    }
    (compared(&head), body)
}

async fn read_line(stream: &mut TcpStream) -> String {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        line.push(stream.read_u8().await.unwrap());
    }
    line.truncate(line.len() - 2);
    String::from_utf8(line).unwrap()
}

/// The lines of a head that must be the same, in an order that is the same.
fn compared(head: &str) -> Vec<String> {
    let mut lines = head.trim_end().lines();
    let first = lines.next().unwrap().to_owned();
    let varies = ["x-request-id: ", "date: "];
    let mut fields: Vec<String> = lines
        .filter(|line| !varies.iter().any(|name| line.starts_with(name)))
        .map(str::to_owned)
        .collect();
    fields.sort();
    fields.insert(0, first);
    fields
}

/// A connection that goes the short way as long as it can, and one that goes the long way from now on.
async fn both_ways(proxies: &[Running; 2]) -> [TcpStream; 2] {
    let short = proxies[0].connect().await;
    let mut long = proxies[1].connect().await;
    ask(&mut long, ODD).await;
    assert_eq!(proxies[1].tasks(), 2, "the endpoint's connection has a task of its own");
    [short, long]
}

async fn proxies(backend: &Backend, more: &str) -> [Running; 2] {
    [Running::before(&backend.address, more).await, Running::before(&backend.address, more).await]
}

#[tokio::test]
async fn what_arrives_upstream_is_the_same_by_both_ways() {
    let backend = backend().await;
    let proxies = proxies(&backend, "").await;
    let [mut short, mut long] = both_ways(&proxies).await;
    for request in [
        "GET / HTTP/1.1\r\nHost: token\r\n\r\n",
        "GET /a/b?c=d%20e HTTP/1.1\r\nhost: Token:80\r\nAccept: */*\r\nX-Empty:\r\n\r\n",
        "POST /token HTTP/1.1\r\nhost: token\r\ncontent-length: 3\r\nAuthorization: a\r\n\r\nabc",
        "PUT / HTTP/1.1\r\nhost: token\r\ncontent-length: 0\r\nconnection: Keep-Alive\r\n\r\n",
        "DELETE / HTTP/1.1\nhost: token\nx-real-ip: 9.9.9.9\nx-authmesh-identity: a\n\n",
        "GET / HTTP/1.1\r\nhost: token\r\nx-forwarded-for: 9.9.9.9\r\nx-forwarded-proto: https\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: token\r\nx-request-id: mine\r\nforwarded: for=9.9.9.9\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: token\r\nkeep-alive: 5\r\nproxy-authorization: a\r\ncookie: a=b\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: token\r\naccept: a\r\naccept: b\r\nx-\u{e9}: a\r\n\r\n",
    ] {
        if request.contains('\u{e9}') {
            // No name of a field: both refuse it and end.
            let mut answers = Vec::new();
            for stream in [&mut short, &mut long] {
                answers.push(compared(&exchange(stream, request).await));
            }
            assert_eq!(answers[0], answers[1]);
            assert!(answers[0][0].starts_with("HTTP/1.1 400"), "{answers:?}");
            continue;
        }
        let (answer, mirrored) = ask(&mut short, request).await;
        assert_eq!(proxies[0].tasks(), 1, "no task but the client's connection: {request}");
        let (same_answer, same) = ask(&mut long, request).await;
        assert_eq!(answer, same_answer, "{request}");
        let text = |bytes: Vec<u8>| compared(&String::from_utf8(bytes).unwrap());
        assert_eq!(text(mirrored), text(same), "{request}");
    }
}

#[tokio::test]
async fn answers_of_every_form_arrive_the_same_by_both_ways() {
    let backend = backend().await;
    let proxies = proxies(&backend, "retry = { attempts = 1 }").await;
    let [mut short, mut long] = both_ways(&proxies).await;
    for request in [
        "GET /length",
        "GET /chunks",
        "GET /until-the-end",
        "GET /nothing",
        "GET /same",
        "HEAD /head",
        "GET /denied",
        "GET /named",
        "GET /two-lengths",
        "GET /early",
    ] {
        let request = format!("{request} HTTP/1.1\r\nhost: token\r\n\r\n");
        let by_short = ask(&mut short, &request).await;
        assert_eq!(proxies[0].tasks(), 1, "no task but the client's connection: {request}");
        let by_long = ask(&mut long, &request).await;
        assert_eq!(by_short.0, by_long.0, "{request}");
        // A refusal names its request, each its own.
        let is_refused = by_short.0[0].starts_with("HTTP/1.1 502");
        let is_same = is_refused || by_short.1 == by_long.1;
        assert!(is_same && by_short.1.len() == by_long.1.len(), "the bodies differ: {request}");
    }
    assert_eq!(proxies[0].attempts("failure"), 1, "the answer with two lengths");
}

#[tokio::test]
async fn a_token_that_is_believed_goes_the_short_way_and_another_the_long_one() {
    let backend = backend().await;
    let (key, other) = (SigningKey::new("one").unwrap(), SigningKey::new("one").unwrap());
    let issuer = IssuerServer::start(&[&key]).unwrap();
    let more = format!(
        "[jwt.corp]\nissuer = \"{}\"\naudiences = [\"here\"]\njwks = \"{}\"\n\
         [[policy]]\nname = \"not-mallory\"\naction = \"deny\"\njwt = \"corp\"\n\
         when = {{ \"claim.sub\" = [\"mallory\"] }}\n",
        issuer.issuer(),
        issuer.keys_url()
    );
    let proxy = Running::before(&backend.address, &more).await;
    let with = |key: &SigningKey, subject: &str| {
        let said = claims(&issuer.issuer(), "here", subject, &serde_json::json!({}));
        let token = key.token(&said).unwrap();
        format!(
            "GET / HTTP/1.1\r\nhost: token\r\nauthorization: Bearer {token}\r\n\
             x-authmesh-subject: forged\r\n\r\n"
        )
    };
    let mut client = proxy.connect().await;
    for _ in 0..2 {
        let (head, mirrored) = ask(&mut client, &with(&key, "alice")).await;
        assert_eq!(head[0], "HTTP/1.1 200 OK");
        let mirrored = String::from_utf8(mirrored).unwrap();
        assert!(mirrored.contains("x-authmesh-subject: alice\r\n"), "{mirrored}");
        assert!(!mirrored.contains("authorization") && !mirrored.contains("forged"), "{mirrored}");
        assert_eq!(proxy.tasks(), 1, "no task but the client's connection");
    }
    let (head, _) = ask(&mut client, &with(&key, "mallory")).await;
    assert_eq!(head[0], "HTTP/1.1 403 Forbidden");
    let (head, _) = ask(&mut client, &with(&other, "alice")).await;
    assert_eq!(head[0], "HTTP/1.1 401 Unauthorized");
    let (head, mirrored) = ask(&mut client, &with(&key, "alice")).await;
    assert_eq!(head[0], "HTTP/1.1 200 OK");
    assert!(String::from_utf8(mirrored).unwrap().contains("x-authmesh-subject: alice\r\n"));
}

#[tokio::test]
async fn requests_that_come_together_are_answered_in_their_order() {
    let backend = backend().await;
    let proxy = Running::before(&backend.address, "").await;
    let mut client = proxy.connect().await;
    let one =
        |path: &str| format!("POST {path} HTTP/1.1\r\nhost: token\r\ncontent-length: 2\r\n\r\nab");
    let together = format!("{}{}{}", one("/1"), one("/2"), ODD.replace("/odd", "/3"));
    let (_, first) = ask(&mut client, &together).await;
    assert!(first.starts_with(b"POST /1 "));
    assert!(ask(&mut client, "").await.1.starts_with(b"POST /2 "));
    assert!(ask(&mut client, "").await.1.starts_with(b"GET /3 "), "and the long way goes on");
    assert!(ask(&mut client, &one("/4")).await.1.starts_with(b"POST /4 "));
}

#[tokio::test]
async fn a_body_may_come_after_its_head() {
    let backend = backend().await;
    let proxy = Running::before(&backend.address, "").await;
    let mut client = proxy.connect().await;
    client
        .write_all(b"POST /late HTTP/1.1\r\nhost: token\r\ncontent-length: 4\r\n\r\n")
        .await
        .unwrap();
    // By now the head has been read, or is about to be: either way the body is waited for.
    until(|| proxy.tasks(), |tasks| *tasks > 0).await;
    let (_, mirrored) = ask(&mut client, "body").await;
    assert!(mirrored.ends_with(b"body"));
}

#[tokio::test]
async fn an_empty_line_behind_a_request_does_not_keep_a_stop_waiting() {
    let backend = backend().await;
    let proxy = Running::before(&backend.address, "[limits]\ndrain_timeout = \"20s\"\n").await;
    let mut client = proxy.connect().await;
    let request = "POST / HTTP/1.1\r\nhost: token\r\ncontent-length: 1\r\n\r\na\r\n";
    assert_eq!(ask(&mut client, request).await.0[0], "HTTP/1.1 200 OK");
    assert_eq!(proxy.stop().await.cut_off, 0);
}

#[tokio::test]
async fn a_kept_connection_that_its_endpoint_closed_is_not_used() {
    let backend = Backend::serving(async |mut stream| {
        read_head(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    })
    .await;
    let proxy = Running::before(&backend.address, "retry = { attempts = 1 }").await;
    let mut client = proxy.connect().await;
    for _ in 0..20 {
        let (head, _) = ask(&mut client, "POST / HTTP/1.1\r\nhost: token\r\n\r\n").await;
        assert_eq!(head[0], "HTTP/1.1 200 OK");
        until(|| backend.open(), |open| *open == 0).await;
    }
    assert_eq!(proxy.attempts("failure"), 0);
}

#[tokio::test]
async fn however_many_kept_connections_were_closed_none_of_them_is_used() {
    // More than a task may ask in one go before the runtime puts it off.
    const MANY: usize = 200;
    let barrier = Arc::new(Barrier::new(MANY));
    let (close, closed) = watch::channel(false);
    let backend = Backend::serving(move |mut stream| {
        let (barrier, mut closed) = (Arc::clone(&barrier), closed.clone());
        async move {
            read_head(&mut stream).await;
            if !*closed.borrow() {
                barrier.wait().await;
            }
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
            let _ = closed.wait_for(|closed| *closed).await;
        }
    })
    .await;
    let proxy = Running::before(&backend.address, "retry = { attempts = 1 }").await;
    let request = "POST / HTTP/1.1\r\nhost: token\r\n\r\n";
    let mut clients = Vec::new();
    for _ in 0..MANY {
        let mut client = proxy.connect().await;
        client.write_all(request.as_bytes()).await.unwrap();
        clients.push(client);
    }
    for client in &mut clients {
        assert_eq!(ask(client, "").await.0[0], "HTTP/1.1 200 OK");
    }
    close.send(true).unwrap();
    until(|| backend.open(), |open| *open == 0).await;
    assert_eq!(ask(&mut clients[0], request).await.0[0], "HTTP/1.1 200 OK");
    assert_eq!(proxy.attempts("failure"), 0);
}

#[tokio::test]
async fn an_answer_that_goes_wrong_ends_as_what_it_is() {
    let cases: [(&str, &str); 9] = [
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n", "HTTP/1.1 200 OK"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nx\r\n", "HTTP/1.1 200 OK"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc", "HTTP/1.1 200 OK"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 9, 9\r\n\r\nabc", "HTTP/1.1 502 Bad Gateway"),
        (
            "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            "HTTP/1.1 502 Bad Gateway",
        ),
        ("HTTP/1.1 200 OK\r\nbroken", "HTTP/1.1 502 Bad Gateway"),
        ("HTTP/1.1 101 Switching Protocols\r\nupgrade: a\r\n\r\n", "HTTP/1.1 502 Bad Gateway"),
        ("nothing at all\r\n\r\n", "HTTP/1.1 502 Bad Gateway"),
        ("", "HTTP/1.1 502 Bad Gateway"),
    ];
    for (answer, wanted) in cases {
        let backend = Backend::serving(async move |mut stream| {
            read_head(&mut stream).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        })
        .await;
        let proxy = Running::before(&backend.address, "retry = { attempts = 1 }").await;
        let mut client = proxy.connect().await;
        let asked = "GET / HTTP/1.1\r\nhost: token\r\nconnection: close\r\n\r\n";
        let got = exchange(&mut client, asked).await;
        assert_eq!(got.lines().next(), Some(wanted), "{answer:?}");
        let is_whole = got.contains("upstream_reset") || got.ends_with("0\r\n\r\n");
        assert_eq!(is_whole, wanted.contains("502"), "what broke off does not look whole: {got}");
        assert_eq!(proxy.attempts("failure"), 1, "{answer:?}");
        proxy.until_nothing_is_held().await;
    }
}

#[tokio::test]
async fn interim_answers_without_end_are_no_answer() {
    let backend = Backend::serving(async |mut stream| {
        read_head(&mut stream).await;
        while stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.is_ok() {}
    })
    .await;
    let proxy = Running::before(&backend.address, "retry = { attempts = 1 }").await;
    let mut client = proxy.connect().await;
    let (head, _) = ask(&mut client, "GET / HTTP/1.1\r\nhost: token\r\n\r\n").await;
    assert_eq!(head[0], "HTTP/1.1 502 Bad Gateway");
}
