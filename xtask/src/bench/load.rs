//! The cases, the load each puts on a proxy, and what the load generators report.

use std::process::Command;

use anyhow::{Context, Result};

use super::process::required;
use crate::command;

/// One kind of traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    /// Small answers over kept connections.
    Small,
    /// The same with twenty header fields.
    Headers,
    /// Bodies of 64 KiB.
    Large,
    /// HTTP/2 in, HTTP/1.1 out.
    Http2,
    /// Small answers from an upstream behind Unix sockets.
    Unix,
}

impl Case {
    /// Every case, the one with a goal first.
    pub(crate) const ALL: [Self; 5] =
        [Self::Small, Self::Headers, Self::Large, Self::Http2, Self::Unix];

    /// The word a person types.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Headers => "headers",
            Self::Large => "large",
            Self::Http2 => "http2",
            Self::Unix => "unix",
        }
    }

    /// What it is, for the document.
    pub(crate) fn says(self) -> &'static str {
        match self {
            Self::Small => {
                "HTTP/1.1, 195-byte answers, 64 kept connections; the goal is at most 1.15 times \
                 the bare proxy"
            }
            Self::Headers => "HTTP/1.1, 195-byte answers, 20 header fields, 64 kept connections",
            Self::Large => "HTTP/1.1, 64 KiB answers, 16 kept connections",
            Self::Http2 => "HTTP/2 without TLS in, HTTP/1.1 out, 8 connections of 8 streams",
            Self::Unix => "as small, the upstream behind Unix sockets",
        }
    }

    /// Whether the load comes over HTTP/2.
    pub(crate) fn is_http2(self) -> bool {
        self == Self::Http2
    }
}

/// The path of the small answer, the large one, and the health check.
pub(crate) const SMALL: &str = "/small";
pub(crate) const LARGE: &str = "/large";
pub(crate) const HEALTH: &str = "/healthz";

/// How much longer than its own time a load generator may take before it is ended, in seconds.
pub(crate) const GRACE: u32 = 20;

/// What a load generator reported.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Reported {
    /// Requests answered with success.
    pub(crate) succeeded: u64,
    /// Requests answered otherwise, or not at all.
    pub(crate) failed: u64,
    /// Requests in a second.
    pub(crate) per_second: f64,
}

/// Puts the load of `case` on a port from `core` for `seconds`.
pub(crate) fn put(case: Case, port: u16, core: usize, seconds: u32) -> Result<Reported> {
    let path = if case == Case::Large { LARGE } else { SMALL };
    let url = format!("http://127.0.0.1:{port}{path}");
    let mut command = Command::new("timeout");
    command.arg((seconds + GRACE).to_string()).args(["taskset", "-c", &core.to_string()]);
    if case.is_http2() {
        command.arg(required("h2load")?).args(["-t1", "-c8", "-m8"]);
        command.arg("-D").arg(seconds.to_string());
    } else {
        let connections = if case == Case::Large { "-c16" } else { "-c64" };
        command.arg(required("wrk")?).args(["-t1", connections, &format!("-d{seconds}s")]);
    }
    if case == Case::Headers {
        for header in headers() {
            command.args(["-H", &header]);
        }
    }
    let printed = command::output(command.arg(url))?;
    let read = if case.is_http2() { read_h2load(&printed) } else { read_wrk(&printed) };
    read.with_context(|| format!("the load generator printed something unknown:\n{printed}"))
}

/// Twenty fields as browsers and gateways send them.
fn headers() -> impl Iterator<Item = String> {
    (0..20).map(|at| format!("X-Field-{at:02}: a value of some thirty characters {at:02}"))
}

fn read_wrk(printed: &str) -> Option<Reported> {
    let line = |word: &str| printed.lines().find(|line| line.contains(word));
    let requests: u64 = line(" requests in ")?.split_whitespace().next()?.parse().ok()?;
    let per_second = line("Requests/sec:")?.split_whitespace().nth(1)?.parse().ok()?;
    let refused =
        line("Non-2xx or 3xx responses:").and_then(|line| numbers(line).last()).unwrap_or(0);
    let broken: u64 = line("Socket errors:").map_or(0, |line| numbers(line).sum());
    Some(Reported {
        succeeded: requests.saturating_sub(refused),
        failed: refused + broken,
        per_second,
    })
}

fn read_h2load(printed: &str) -> Option<Reported> {
    let line = |word: &str| printed.lines().find(|line| line.starts_with(word));
    let succeeded = numbers(line("status codes:")?).next()?;
    let finished = line("finished in ")?;
    let per_second = finished.split(", ").nth(1)?.split(' ').next()?.parse().ok()?;
    let counts = line("requests:")?.split(", ");
    let count =
        |word: &str| counts.clone().find_map(|part| part.strip_suffix(word)?.trim().parse().ok());
    Some(Reported { succeeded, failed: count("failed").unwrap_or(0_u64), per_second })
}

/// The whole numbers of a line.
fn numbers(line: &str) -> impl Iterator<Item = u64> + '_ {
    let words = line.split(|c: char| !c.is_ascii_digit()).filter(|word| !word.is_empty());
    words.filter_map(|word| word.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_wrk_prints_is_read() {
        let printed = "Running 2s test @ http://127.0.0.1:1/small\n  1 threads and 64 connections\n\
            \x20 61234 requests in 2.01s, 21.4MB read\n\
            \x20 Socket errors: connect 0, read 3, write 0, timeout 1\n\
            \x20 Non-2xx or 3xx responses: 34\nRequests/sec:  30464.68\nTransfer/sec: 10.6MB\n";
        let read = read_wrk(printed).unwrap();
        assert_eq!(read, Reported { succeeded: 61_200, failed: 38, per_second: 30_464.68 });
    }

    #[test]
    fn what_h2load_prints_is_read() {
        let printed = "starting benchmark...\nfinished in 2.00s, 43210.50 req/s, 9.1MB/s\n\
            requests: 86485 total, 86549 started, 86485 done, 86421 succeeded, 64 failed, 64 errored, 0 timeout\n\
            status codes: 86421 2xx, 0 3xx, 0 4xx, 0 5xx\n";
        let read = read_h2load(printed).unwrap();
        assert_eq!(read, Reported { succeeded: 86_421, failed: 64, per_second: 43_210.5 });
    }

    #[test]
    fn what_is_unknown_is_not_guessed() {
        assert_eq!(read_wrk("unable to connect"), None);
        assert_eq!(read_h2load("unable to connect"), None);
    }
}
