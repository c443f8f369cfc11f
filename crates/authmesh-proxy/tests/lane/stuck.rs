//! Clients that stop reading an answer.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::backend::{Backend, read_head, write_for_ever};
use crate::client::{http2, request, whole};
use crate::proxy::{Held, Running, until};

const IMPATIENT: &str = "[limits]\nbody_idle_timeout = \"200ms\"\n";

/// Answers `/big` for as long as it is read, anything else at once.
async fn backend() -> Backend {
    Backend::serving(async |mut stream| {
        while let Some(head) = read_head(&mut stream).await {
            if head.starts_with("GET /big ") {
                let head = "HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n";
                if stream.write_all(head.as_bytes()).await.is_ok() {
                    write_for_ever(&mut stream).await;
                }
                return;
            }
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nsmall";
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_client_of_http1_that_stops_reading_is_cut_off_and_nobody_is_blamed() {
    let backend = backend().await;
    let proxy = Running::before(&backend.address, IMPATIENT).await;
    let mut client = proxy.connect().await;
    client.write_all(b"GET /big HTTP/1.1\r\nhost: token\r\n\r\n").await.unwrap();
    client.read_exact(&mut [0; 12]).await.unwrap();
    proxy.until_nothing_is_held().await;
    assert_eq!((proxy.attempts("neutral"), proxy.attempts("failure")), (1, 0));
    until(|| backend.open(), |open| *open == 0).await;
    drop(client);
}

#[tokio::test]
async fn a_stream_of_http2_that_is_not_read_is_reset_and_its_neighbours_go_on() {
    let backend = backend().await;
    let proxy = Running::before(&backend.address, IMPATIENT).await;
    let mut client = http2(&proxy).await;
    let stuck = client.send_request(request("/big")).await.unwrap();
    let connected = Held { connections: 1, tasks: 1, ..Held::default() };
    proxy.until_held(connected).await;
    assert_eq!((proxy.attempts("neutral"), proxy.attempts("failure")), (1, 0));

    let neighbour = client.send_request(request("/small")).await.unwrap();
    assert_eq!(whole(neighbour).await.unwrap(), "small");
    assert!(whole(stuck).await.is_err(), "what was sent is not the whole");
    drop(client);
    until(|| proxy.held().connections, |open| *open == 0).await;
}
