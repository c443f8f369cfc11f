//! Measures how much memory each proxy holds: when idle, and for each idle connection of a client.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::cpu::with_descendants;
use super::load::{Case, SMALL};
use super::peers::Started;

/// What one proxy holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Held {
    /// The proxy's word.
    pub(crate) proxy: String,
    /// After its start and one request, in KiB; shared pages are shared out (`Pss`).
    pub(crate) idle_kib: u64,
    /// What each of many connections adds that wait after one request, in bytes.
    pub(crate) connection_bytes: f64,
}

/// How many connections are held at once.
pub(crate) const CONNECTIONS: u32 = 500;

/// How long one answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// What each proxy holds. To be measured before any load.
pub(crate) fn measure(proxies: &[Started]) -> Result<Vec<Held>> {
    let one = |started: &Started| {
        let process = started.running.id();
        let idle = held(process)?;
        let connections = (0..CONNECTIONS).map(|_| connect(started.port(Case::Small)));
        let connections = connections.collect::<Result<Vec<_>>>()?;
        let with = held(process)?;
        drop(connections);
        Ok(Held {
            proxy: started.proxy.word().to_owned(),
            idle_kib: idle,
            connection_bytes: with.saturating_sub(idle) as f64 * 1_024.0 / f64::from(CONNECTIONS),
        })
    };
    proxies.iter().map(one).collect()
}

/// A connection that has had one answer. One after the other, so that a proxy needs one connection
/// to its upstream.
fn connect(port: u16) -> Result<TcpStream> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(ANSWER_LIMIT))?;
    write!(stream, "GET {SMALL} HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    let mut answer = Vec::new();
    while !is_whole(&answer) {
        let mut piece = [0; 1_024];
        let length = stream.read(&mut piece).context("an answer was not whole in time")?;
        if length == 0 {
            bail!("a connection was closed before its answer was whole");
        }
        answer.extend_from_slice(&piece[..length]);
    }
    Ok(stream)
}

/// Whether this is a head with a length and so many bytes.
fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    let length = fields.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    length.and_then(|(_, value)| value.trim().parse().ok()) == Some(body.len())
}

/// The memory of a process and its descendants, in KiB.
pub(super) fn held(process: u32) -> Result<u64> {
    let of = |process: &u32| {
        let file = format!("/proc/{process}/smaps_rollup");
        let text = fs::read_to_string(&file).with_context(|| format!("{file} cannot be read"))?;
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        number.with_context(|| format!("{file} says nothing known"))
    };
    with_descendants(process).iter().map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_holds_something() {
        assert!(held(std::process::id()).unwrap() > 0);
    }

    #[test]
    fn an_answer_is_whole_with_its_last_byte() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab";
        assert!(is_whole(answer));
        assert!(!is_whole(&answer[..answer.len() - 1]));
        assert!(!is_whole(b"HTTP/1.1 200 OK\r\n\r\nab"));
    }
}
