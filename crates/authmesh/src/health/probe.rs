//! Makes one check: connects, asks if there is something to ask, and says what it saw.

use std::io;
use std::pin::pin;

use authmesh_logic::config::Protocol;
use authmesh_logic::health::{Check, CheckFailure, Policy};
use bytes::Bytes;
use http::header::{CONNECTION, HOST, USER_AGENT};
use http::{Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use super::Evidence;
use crate::discovery::Address;
use crate::identity::Pin;

/// How much of an answer's body is read, in bytes.
const LONGEST_BODY: usize = 64 * 1024;

/// How much is held while the head of an answer is read, in bytes.
const LONGEST_HEAD: usize = 64 * 1024;

/// Checks what is at `address` once, within the policy's time; with a `pin` it must prove first
/// who it is.
pub(crate) async fn probe(policy: &Policy, address: &Address, pin: Option<&Pin>) -> Evidence {
    let check = async {
        match address {
            Address::Tcp(peer) => match TcpStream::connect(peer).await {
                Ok(stream) => prove_and_ask(policy, address, pin, stream).await,
                Err(fault) => not_connected(fault.kind()),
            },
            Address::Unix(path) => match UnixStream::connect(&**path).await {
                Ok(stream) => prove_and_ask(policy, address, pin, stream).await,
                Err(fault) => not_connected(fault.kind()),
            },
        }
    };
    let timeout = tokio::time::timeout(policy.timeout, check).await;
    timeout.unwrap_or(Evidence::failed(CheckFailure::Timeout))
}

async fn prove_and_ask<S>(
    policy: &Policy,
    address: &Address,
    pin: Option<&Pin>,
    stream: S,
) -> Evidence
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let authority = match address {
        Address::Tcp(address) => address.to_string(),
        Address::Unix(_) => "localhost".to_owned(),
    };
    let Some(pin) = pin else { return ask(&policy.check, &authority, stream).await };
    match pin.secure(stream, address, Protocol::Http1).await {
        Ok((stream, _)) => ask(&policy.check, &authority, stream).await,
        Err(_) => Evidence::failed(CheckFailure::Identity),
    }
}

async fn ask<S>(check: &Check, authority: &str, stream: S) -> Evidence
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Check::Http { path, host, expect } = check else { return Evidence::passed(None) };
    let request = Request::get(&**path)
        .header(HOST, host.as_deref().unwrap_or(authority))
        .header(USER_AGENT, "authmesh-health")
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new());
    let Ok(request) = request else {
        return Evidence::failed(CheckFailure::Malformed).because(io::ErrorKind::InvalidInput);
    };
    let handshake =
        http1::Builder::new().max_buf_size(LONGEST_HEAD).handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = match handshake {
        Ok(pair) => pair,
        Err(fault) => return broken(&fault),
    };
    let mut exchange = pin!(async move {
        let answer = sender.send_request(request).await?;
        read_body(answer).await
    });
    let answer = tokio::select! {
        answer = &mut exchange => answer,
        // The peer closed; what it had sent until then is still to be read.
        _ = connection => exchange.await,
    };
    match answer {
        Ok(status) if expect.iter().any(|(low, high)| (*low..=*high).contains(&status)) => {
            Evidence::passed(Some(status))
        }
        Ok(status) => {
            Evidence { status: Some(status), ..Evidence::failed(CheckFailure::Status(status)) }
        }
        Err(fault) => broken(&fault),
    }
}

/// Reads the body to its end or to the limit, whichever comes first; gives the status.
async fn read_body(answer: Response<Incoming>) -> hyper::Result<u16> {
    let status = answer.status().as_u16();
    let mut body = answer.into_body();
    let mut length = 0;
    while length < LONGEST_BODY {
        let Some(frame) = body.frame().await else { break };
        length += frame?.data_ref().map_or(0, Bytes::len);
    }
    Ok(status)
}

fn not_connected(fault: io::ErrorKind) -> Evidence {
    let failure = match fault {
        // A Unix socket whose file is not there has nobody listening either.
        io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => CheckFailure::Refused,
        io::ErrorKind::ConnectionReset => CheckFailure::Reset,
        io::ErrorKind::TimedOut => CheckFailure::Timeout,
        _ => CheckFailure::Unreachable,
    };
    Evidence::failed(failure).because(fault)
}

fn broken(fault: &hyper::Error) -> Evidence {
    let failure = if fault.is_parse() { CheckFailure::Malformed } else { CheckFailure::Reset };
    Evidence::failed(failure)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, UnixListener};

    use super::*;

    fn policy(check: Check) -> Policy {
        Policy { timeout: Duration::from_secs(20), ..Policy::of(check) }
    }

    fn get(path: &str) -> Check {
        Check::Http { path: path.into(), host: None, expect: vec![(200, 299)] }
    }

    /// Answers one connection with `answer`, closes it, and gives back what was asked.
    async fn served(answer: &[u8]) -> (Address, impl Future<Output = String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = Address::Tcp(listener.local_addr().unwrap());
        let answer = answer.to_owned();
        let server = async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                assert!(stream.read_buf(&mut asked).await.unwrap() > 0, "the request was cut");
            }
            // The client may leave before everything was sent.
            stream.write_all(&answer).await.ok();
            String::from_utf8(asked).unwrap()
        };
        (address, server)
    }

    #[tokio::test]
    async fn answers_are_judged() {
        let long =
            format!("HTTP/1.1 200 OK\r\ncontent-length: 9999999\r\n\r\n{}", "x".repeat(70_000));
        let failed = Evidence::failed;
        let status =
            |status| Evidence { status: Some(status), ..failed(CheckFailure::Status(status)) };
        let table = [
            ("HTTP/1.1 204 No Content\r\n\r\n", Evidence::passed(Some(204))),
            ("HTTP/1.1 200 OK\r\n\r\nuntil the end", Evidence::passed(Some(200))),
            (&long, Evidence::passed(Some(200))),
            ("HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n", status(503)),
            ("HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n", status(302)),
            ("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\ncut", failed(CheckFailure::Reset)),
            ("SSH-2.0-OpenSSH_9.2\r\n", failed(CheckFailure::Malformed)),
            ("", failed(CheckFailure::Reset)),
        ];
        for (answer, evidence) in table {
            let (address, server) = served(answer.as_bytes()).await;
            let policy = policy(get("/ready?full"));
            let (seen, asked) = tokio::join!(probe(&policy, &address, None), server);
            assert_eq!(seen, evidence, "{}", &answer[..answer.len().min(80)]);
            let expected = format!(
                "GET /ready?full HTTP/1.1\r\nhost: {address}\r\nuser-agent: authmesh-health\r\n\
                 connection: close\r\n\r\n"
            );
            assert_eq!(asked, expected);
        }
    }

    #[tokio::test]
    async fn a_unix_socket_is_checked_by_connecting() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("login.sock");
        let address = Address::Unix(path.to_str().unwrap().into());
        let policy = policy(Check::Tcp);
        let missing = Evidence::failed(CheckFailure::Refused).because(io::ErrorKind::NotFound);
        assert_eq!(probe(&policy, &address, None).await, missing);

        let listener = UnixListener::bind(&path).unwrap();
        assert_eq!(probe(&policy, &address, None).await, Evidence::passed(None));
        drop(listener);
        let refused = missing.because(io::ErrorKind::ConnectionRefused);
        assert_eq!(probe(&policy, &address, None).await, refused);
    }

    #[tokio::test]
    async fn who_accepts_and_is_silent_times_out() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = Address::Tcp(listener.local_addr().unwrap());
        let policy = Policy { timeout: Duration::from_millis(20), ..policy(get("/")) };
        assert_eq!(probe(&policy, &address, None).await, Evidence::failed(CheckFailure::Timeout));
    }

    #[tokio::test]
    async fn a_path_that_cannot_be_sent_is_said() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = Address::Tcp(listener.local_addr().unwrap());
        let evidence = probe(&policy(get("/a b")), &address, None).await;
        assert_eq!(evidence.fault, Some(io::ErrorKind::InvalidInput));
    }
}
