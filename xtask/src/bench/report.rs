//! Prints what was measured: the tables at the terminal, and `docs/performance.md`.

use std::fmt::Write as _;

use anyhow::{Context, Result};
use serde_json::Value;

use super::memory::Held;
use super::results::{CaseResults, Measured, from_json, median, memory_from_json, middle_half};

/// What a profile of the small case shows; the figures of it depend on the machine, this does not.
const DOMINATES: &str = "\
Sending and receiving on loopback dominates everywhere: each request costs a proxy two reads and two
writes, no way around them, and a write pays for the delivery to the other side.

In HTTP/1.1, plain requests take [the short way](decisions/the-short-way.md), and in user space nothing
stands out; from the largest part down:

- the runtime: who is ready, who is woken, four turns of one task;
- reading two heads and writing two, each field of them looked at by the rules, host and path too;
- moving bytes and what belongs to a request;
- choosing an endpoint, two breakers, and the counters;
- reading the clock, once for each phase.

No lock is waited for, and no timer is set for a request: those of connections stay from request to
request.

In HTTP/2, and on the long way in HTTP/1.1, the library comes first: reading two heads into maps, writing
two, and handing a request from the client's connection to the upstream's and back. What authmesh adds to
that is spread thin: moving heads and the futures that wait for an answer, the fields it adds upstream, the
copy that a retry would need, hygiene.

The way to such a list, for any build: `perf record` and `valgrind --tool=callgrind` on the running proxy;
instructions for each request hardly depend on what else the machine does.
What was tried and left stands in [the hot path](decisions/hot-path.md).
";

/// The document, from the kept figures.
pub(crate) fn report(results: &str) -> Result<String> {
    let results: Value = serde_json::from_str(results).context("the kept figures are no JSON")?;
    let cases = from_json(&results["cases"]).context("the kept figures are incomplete")?;
    let memory = memory_from_json(&results["memory"]["held"])
        .context("the kept figures of memory are incomplete")?;
    let (machine, settings, versions) =
        (&results["machine"], &results["settings"], &results["versions"]);
    let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut text = format!(
        "# Performance\n\n\
         Written by `cargo xtask bench proxy --write`; the figures are kept in \
         `bench/results/proxy.json`, and `cargo xtask check` compares. Only ratios are shown: they \
         travel from machine to machine, microseconds do not.\n\n\
         ```\n\
         cargo xtask bench proxy                                   # all of it, with microseconds\n\
         cargo xtask bench proxy --cases small --proxies bare,authmesh --rounds 15\n\
         cargo xtask bench proxy --write                           # and this page\n\
         ```\n\n\
         **Machine.** {} cores, {}, Linux {}.\n\
         **Peers.** HAProxy {}, nginx {}; load from wrk {} and h2load {}. `bare` is \
         `bench/bare-proxy`: hyper, one thread per core, round robin over pooled connections and \
         no feature, from the same versions, in the same profile ({}), its sockets set as ours.\n\
         **Features.** authmesh: breakers, balancer, health checks, retries and metrics on, \
         authorization `allow`. HAProxy: health checks, least connections, `X-Forwarded-For`. \
         nginx: least connections, `X-Forwarded-For`, large buffers; its free edition has no \
         health checks.\n\
         **Method.** Each proxy has one worker on one core; load and upstream (one nginx worker \
         behind four addresses) share the other. {} rounds of {} s; in each round every proxy is measured \
         once, in an order that turns. The figure is processor time of the proxy and all its \
         children, as the scheduler counts it, for each successful request. A ratio is taken \
         within a round; shown are the median over the rounds and the edges of their middle half. \
         On a machine that others use, run it with real-time priority (`chrt -f 3`), as the kept \
         figures were; one start of a program differs from the next by some 3 %.\n",
        word(&machine["cores"]),
        word(&machine["processor"]),
        word(&machine["kernel"]),
        word(&versions["haproxy"]),
        word(&versions["nginx"]),
        word(&versions["wrk"]),
        word(&versions["h2load"]),
        word(&settings["profile"]),
        word(&settings["rounds"]),
        word(&settings["seconds"]),
    );
    for case in &cases {
        let _ = write!(text, "\n## {}\n\n{}.\n\n{}", case.case, case.says, ratios(case));
        text += &shares(case);
    }
    let _ = write!(
        text,
        "\n## Memory\n\nAfter the start, and for each of {} connections that wait after one \
         request; `Pss`.\n\n{}\n## What dominates\n\n{DOMINATES}",
        word(&results["memory"]["connections"]),
        memory_ratios(&memory)
    );
    Ok(text)
}

/// One case as ratios.
pub(super) fn ratios(case: &CaseResults) -> String {
    let mut text =
        "| proxy | ÷ bare | ÷ HAProxy | of it kernel | of the core |\n|---|---|---|---|---|\n"
            .to_owned();
    for proxy in case.proxies() {
        let percent = |figure| 100.0 * median(case.figures(proxy, figure)).unwrap_or_default();
        let ratio = |to| match (case.ratio(proxy, to), middle_half(case.ratios(proxy, to))) {
            (Some(_), _) if proxy == to => "1".to_owned(),
            (Some(ratio), Some((low, high))) => format!("{ratio:.2} ({low:.2} … {high:.2})"),
            _ => "–".to_owned(),
        };
        let (bare, haproxy) = (ratio("bare"), ratio("haproxy"));
        let (kernel, busy) = (percent(|m| m.kernel), percent(|m| m.busy));
        let _ = writeln!(text, "| {proxy} | {bare} | {haproxy} | {kernel:.0} % | {busy:.0} % |");
    }
    text
}

/// What was held, as ratios to the bare proxy.
pub(super) fn memory_ratios(memory: &[Held]) -> String {
    let Some(bare) = memory.iter().find(|held| held.proxy == "bare") else {
        return String::new();
    };
    let mut text = "| proxy | idle ÷ bare | connection ÷ bare |\n|---|---|---|\n".to_owned();
    for held in memory {
        let idle = held.idle_kib as f64 / bare.idle_kib as f64;
        let connection = held.connection_bytes / bare.connection_bytes;
        let _ = writeln!(text, "| {} | {idle:.2} | {connection:.2} |", held.proxy);
    }
    text
}

/// What was held, for the terminal.
pub(crate) fn memory_table(memory: &[Held]) -> String {
    let mut text = "| proxy | idle, KiB | idle connection, bytes |\n|---|---|---|\n".to_owned();
    for held in memory {
        let (idle, connection) = (held.idle_kib, held.connection_bytes);
        let _ = writeln!(text, "| {} | {idle} | {connection:.0} |", held.proxy);
    }
    text
}

/// One case as a table, for the terminal.
pub(crate) fn table(case: &CaseResults) -> String {
    let mut text = "| proxy | CPU µs per request | least … most | ÷ bare | ÷ HAProxy | kernel | \
                    requests/s | core busy | failed |\n|---|---|---|---|---|---|---|---|---|\n"
        .to_owned();
    for proxy in case.proxies() {
        let middle = |figure| median(case.figures(proxy, figure)).unwrap_or_default();
        let micros = case.figures(proxy, |m| m.micros);
        let ratio = |to| case.ratio(proxy, to).map_or("–".to_owned(), |r| format!("{r:.2}"));
        let failed: u64 = case.measured.iter().filter(|m| m.proxy == proxy).map(|m| m.failed).sum();
        let _ = writeln!(
            text,
            "| {proxy} | {:.1} | {:.1} … {:.1} | {} | {} | {:.0} % | {:.0} | {:.0} % | {failed} |",
            middle(|m: &Measured| m.micros),
            micros.iter().copied().fold(f64::INFINITY, f64::min),
            micros.iter().copied().fold(0.0, f64::max),
            ratio("bare"),
            ratio("haproxy"),
            100.0 * middle(|m: &Measured| m.kernel),
            middle(|m: &Measured| m.per_second),
            100.0 * middle(|m: &Measured| m.busy),
        );
    }
    text
}

/// Where the difference to the bare proxy lies: in the kernel or in user space.
pub(super) fn shares(case: &CaseResults) -> String {
    let spaces = |proxy: &str| {
        let kernel = median(case.figures(proxy, |m| m.micros * m.kernel))?;
        let user = median(case.figures(proxy, |m| m.micros * (1.0 - m.kernel)))?;
        Some((kernel, user))
    };
    let (Some(ours), Some(bare)) = (spaces("authmesh"), spaces("bare")) else {
        return String::new();
    };
    let whole = bare.0 + bare.1;
    format!(
        "\nThe bare proxy spends {:.0} % of its time in user space. In parts of the bare proxy's \
         whole time, authmesh adds {:+.0} % in user space and {:+.0} % in the kernel.\n",
        100.0 * bare.1 / whole,
        100.0 * (ours.1 - bare.1) / whole,
        100.0 * (ours.0 - bare.0) / whole,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::results::{memory_to_json, to_json};
    use serde_json::json;

    fn case() -> CaseResults {
        let measured = |proxy: &str, micros: f64, kernel: f64| Measured {
            proxy: proxy.to_owned(),
            round: 0,
            micros,
            kernel,
            busy: 0.9,
            per_second: 40_000.0,
            failed: 0,
        };
        CaseResults {
            case: "small".to_owned(),
            says: "Small answers".to_owned(),
            measured: vec![measured("bare", 20.0, 0.75), measured("authmesh", 22.0, 0.7)],
        }
    }

    #[test]
    fn a_table_has_a_row_for_each_proxy_with_its_ratios() {
        let table = table(&case());
        let row = "| authmesh | 22.0 | 22.0 … 22.0 | 1.10 | – | 70 % | 40000 | 90 % | 0 |";
        assert!(table.lines().any(|line| line == row), "{table}");
        assert_eq!(table.lines().count(), 4);
    }

    #[test]
    fn the_document_shows_ratios_and_where_the_difference_lies() {
        let held = |proxy: &str, idle_kib: u64, connection_bytes: f64| Held {
            proxy: proxy.to_owned(),
            idle_kib,
            connection_bytes,
        };
        let memory = [held("bare", 2_000, 10_000.0), held("authmesh", 5_000, 12_000.0)];
        let results = json!({
            "machine": { "cores": 2, "processor": "a processor", "kernel": "6.1" },
            "settings": { "rounds": 1, "seconds": 2, "profile": "release" },
            "versions": { "haproxy": "2.6", "nginx": "1.22", "wrk": "4.1", "h2load": "1.52" },
            "cases": to_json(&[case()]),
            "memory": { "connections": 500, "held": memory_to_json(&memory) },
        });
        let text = report(&results.to_string()).unwrap();
        for line in [
            "**Machine.** 2 cores, a processor, Linux 6.1.",
            "| bare | 1 | – | 75 % | 90 % |",
            "| authmesh | 1.10 (1.10 … 1.10) | – | 70 % | 90 % |",
            "| authmesh | 2.50 | 1.20 |",
        ] {
            assert!(text.lines().any(|own| own == line), "{line}\n{text}");
        }
        assert!(text.contains("25 % of its time in user space"), "{text}");
        assert!(text.contains("+8 % in user space and +2 % in the kernel"), "{text}");
        assert!(!text.contains("µs"), "{text}");
    }
}
