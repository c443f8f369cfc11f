//! Prints what was measured: the tables at the terminal, and `docs/performance.md`.

use std::fmt::Write as _;

use anyhow::{Context, Result};
use serde_json::Value;

use super::results::{CaseResults, Measured, from_json, median};

/// The document, from the kept figures.
pub(crate) fn report(results: &str) -> Result<String> {
    let results: Value = serde_json::from_str(results).context("the kept figures are no JSON")?;
    let cases = from_json(&results["cases"]).context("the kept figures are incomplete")?;
    let (machine, settings, versions) =
        (&results["machine"], &results["settings"], &results["versions"]);
    let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut text = format!(
        "# Performance\n\n\
         Written by `cargo xtask bench proxy --write`; the figures are kept in \
         `bench/results/proxy.json`. Run it on your own machine before you believe a figure: \
         ratios travel, microseconds do not.\n\n\
         **Machine.** {} cores, {}, Linux {}.\n\
         **Peers.** HAProxy {}, nginx {}; load from wrk {} and h2load {}. `bare` is \
         `bench/bare-proxy`: hyper, one thread per core, round robin over pooled connections and \
         no feature, from the same versions and the same profile ({}).\n\
         **Features.** authmesh: breakers, balancer, health checks and metrics on, authorization \
         `allow`. HAProxy: health checks, least connections, `X-Forwarded-For`. nginx: least \
         connections, `X-Forwarded-For`, large buffers; its free edition has no health checks.\n\
         **Method.** Each proxy has one worker on one core; load and upstream (one nginx worker, \
         four ports) share the other. {} rounds of {} s; in each round every proxy is measured \
         once, in an order that turns. The figure is processor time of the proxy and all its \
         children, as the scheduler counts it, for each successful request. Ratios are taken \
         within a round; the median over the rounds is shown.\n",
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
        let _ = write!(text, "\n## {}\n\n{}.\n\n{}", case.case, case.says, table(case));
        text += &dominates(case);
    }
    Ok(text)
}

/// One case as a table.
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

/// Where the time goes: the kernel's part and user space, ours beside the bare proxy's.
fn dominates(case: &CaseResults) -> String {
    let spaces = |proxy: &str| {
        let kernel = median(case.figures(proxy, |m| m.micros * m.kernel))?;
        let user = median(case.figures(proxy, |m| m.micros * (1.0 - m.kernel)))?;
        Some((kernel, user))
    };
    let (Some(ours), Some(bare)) = (spaces("authmesh"), spaces("bare")) else {
        return String::new();
    };
    format!(
        "\nOf authmesh's time {:.1} µs are the kernel's (the bare proxy: {:.1}) and {:.1} µs are \
         spent in user space (the bare proxy: {:.1}); the difference in user space, {:.1} µs, is \
         what the features cost.\n",
        ours.0,
        bare.0,
        ours.1,
        bare.1,
        ours.1 - bare.1
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::results::to_json;
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
    fn the_document_says_where_the_time_goes() {
        let results = json!({
            "machine": { "cores": 2, "processor": "a processor", "kernel": "6.1" },
            "settings": { "rounds": 1, "seconds": 2, "profile": "release" },
            "versions": { "haproxy": "2.6", "nginx": "1.22", "wrk": "4.1", "h2load": "1.52" },
            "cases": to_json(&[case()]),
        });
        let text = report(&results.to_string()).unwrap();
        assert!(text.contains("**Machine.** 2 cores, a processor, Linux 6.1."), "{text}");
        assert!(text.contains("15.4 µs are the kernel's (the bare proxy: 15.0)"), "{text}");
    }
}
