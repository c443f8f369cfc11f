//! Endpoints lent to a protocol of the program's own.

use std::time::Duration;

use authmesh::circuit_breaker::OutcomeKind;
use authmesh::discovery::Address;
use authmesh::worker::Picked;
use authmesh::{ErrorKind, Mesh};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::backend::nowhere;
use crate::mesh::{mesh, token, within};

/// Enough that each endpoint is picked more than five times, whatever the dice say.
const PICKS: u64 = 200;

/// Serves one line for each line, until the test ends.
async fn line_server() -> Address {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = Address::Tcp(listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let (reading, mut writing) = stream.into_split();
                let mut lines = BufReader::new(reading).lines();
                while let Ok(Some(line)) = lines.next_line().await {
                    writing.write_all(format!("bound {line}\n").as_bytes()).await.unwrap();
                }
            });
        }
    });
    address
}

/// One exchange of such a protocol, over the connection of whoever was picked.
async fn bind(picked: Picked) -> Option<String> {
    let Address::Tcp(address) = picked.address() else { panic!("it is TCP") };
    let Ok(mut stream) = TcpStream::connect(address).await else {
        picked.done(OutcomeKind::Failure);
        return None;
    };
    stream.write_all(b"alice\n").await.unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).await.unwrap();
    picked.done(OutcomeKind::Success);
    Some(line)
}

/// In flight, and the results by kind, of all instances.
fn counted(mesh: &Mesh) -> (u64, Vec<u64>) {
    let metrics = mesh.metrics();
    let service = metrics.service("token").unwrap();
    let of_kind = |kind: OutcomeKind| -> u64 {
        service.instances.iter().map(|instance| instance.breaker.results[kind as usize]).sum()
    };
    (service.in_flight(), OutcomeKind::ALL.map(of_kind).to_vec())
}

#[tokio::test]
async fn an_endpoint_is_in_flight_while_it_is_lent_and_takes_the_outcome_back() {
    let mut service = token([line_server().await, nowhere()]);
    service.endpoint_breaker.wait.first = Duration::from_secs(3600);
    service.endpoint_breaker.wait.longest = Duration::from_secs(3600);
    let mesh = mesh([service]).await;
    let directory = mesh.service("token").unwrap().operation("bind");
    let mut bound = 0;
    for _ in 0..PICKS {
        if let Some(line) = within(bind(directory.pick().unwrap())).await {
            assert_eq!(line, "bound alice\n");
            bound += 1;
        }
    }
    let (in_flight, results) = counted(&mesh);
    assert_eq!(in_flight, 0);
    let failed = results[OutcomeKind::Failure as usize];
    assert_eq!(results[OutcomeKind::Success as usize], bound);
    assert_eq!(
        (bound + failed, failed),
        (PICKS, 5),
        "five in a row open the breaker of the dead one"
    );
}

#[tokio::test]
async fn an_endpoint_that_is_dropped_says_nothing() {
    let mesh = mesh([token([nowhere()])]).await;
    let directory = mesh.service("token").unwrap();
    let (one, other) = (directory.pick().unwrap(), directory.pick().unwrap());
    assert_eq!(counted(&mesh).0, 2);
    drop((one, other));
    for _ in 0..100 {
        drop(directory.pick().unwrap());
    }
    let (in_flight, results) = counted(&mesh);
    assert_eq!((in_flight, results[OutcomeKind::Neutral as usize]), (0, 102));
    assert_eq!(results.iter().sum::<u64>(), 102);
}

#[tokio::test]
async fn nothing_is_lent_where_there_is_nothing() {
    let mesh = mesh([token([])]).await;
    let error = mesh.service("token").unwrap().pick().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoEndpoint);
}
