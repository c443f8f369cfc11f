//! Builds and starts everything, measures in interleaved rounds, ends everything.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::load::{self, Case, Reported};
use super::memory::{CONNECTIONS, Held};
use super::options::Options;
use super::peers::{LOAD_CORE, Places, Proxy, Reach, Started, Upstream};
use super::report::{memory_table, table};
use super::results::{CaseResults, Measured, RESULTS, memory_to_json, to_json};
use super::{cpu, machine, memory, performance};
use crate::command::{self, cargo};
use crate::say::say;
use crate::setup::{self, Need};
use crate::stopwatch::Stopwatch;
use crate::workspace::Workspace;

/// How long each proxy is driven before the first round of a case, in seconds.
const WARM_UP: u32 = 1;

/// The profile of both our programs, for the document.
pub(super) const PROFILE: &str = "release, no link-time optimisation";

/// Measures what the options name.
pub(crate) fn run(words: &[&str]) -> Result<()> {
    let options = Options::read(words)?;
    machine::require_two_cores()?;
    setup::run(Need::Everything)?;
    let workspace = Workspace::load()?;
    let places = build(&workspace, &options)?;
    let upstream = Upstream::start(&places)?;
    let start = |reach| {
        let start = |&proxy| Started::start(proxy, &upstream, reach, &places);
        options.proxies.iter().map(start).collect::<Result<Vec<Started>>>()
    };
    let proxies = start(Reach::Tcp)?;
    let memory = memory::measure(&proxies)?;
    say(format!("\n{}", memory_table(&memory)));
    let mut cases = Vec::new();
    for &case in &options.cases {
        let results = match case {
            Case::Unix => measure_case(case, &start(Reach::Unix)?, &options)?,
            _ => measure_case(case, &proxies, &options)?,
        };
        say(format!("\n{}: {}\n{}", case.word(), case.says(), table(&results)));
        cases.push(results);
    }
    if options.write {
        write(&workspace.root, &options, &cases, &memory)?;
    }
    refuse_failures(&cases)
}

/// Builds our programs in the same profile.
pub(super) fn build(workspace: &Workspace, options: &Options) -> Result<Places> {
    let root = &workspace.root;
    let own = workspace.target.join("bench");
    if options.proxies.contains(&Proxy::Authmesh) {
        let words = ["build", "--locked", "--release", "--package", "authmesh-cli"];
        command::run(&mut cargo(root, &words), "mend what the compiler says above")?;
    }
    let words = ["build", "--locked", "--release", "--manifest-path", "bench/Cargo.toml"];
    let mut bare = cargo(root, &words);
    bare.args(["--package", "bare-proxy", "--package", "tls-load", "--target-dir"]).arg(&own);
    command::run(&mut bare, "mend what the compiler says above")?;
    let folder = own.join("run");
    fs::create_dir_all(&folder)?;
    Ok(Places {
        authmesh: workspace.target.join("release/authmesh"),
        bare: own.join("release/bare-proxy"),
        load: own.join("release/tls-load"),
        folder,
    })
}

fn measure_case(case: Case, proxies: &[Started], options: &Options) -> Result<CaseResults> {
    let put = |proxy: &Started, seconds| load::put(case, proxy.port(case), LOAD_CORE, seconds);
    measure_load((case.word(), case.says()), proxies, options, &put)
}

/// Puts a load on a proxy for so many seconds.
pub(super) type Put<'a> = &'a dyn Fn(&Started, u32) -> Result<Reported>;

/// One case, by its word and what it is: a warm-up of each proxy, then rounds in an order that turns.
pub(super) fn measure_load(
    (word, says): (&str, &str),
    proxies: &[Started],
    options: &Options,
    put: Put<'_>,
) -> Result<CaseResults> {
    for proxy in proxies {
        put(proxy, WARM_UP).context(proxy.proxy.word())?;
    }
    let mut measured = Vec::new();
    for round in 0..options.rounds {
        let first = round as usize % proxies.len().max(1);
        for proxy in proxies[first..].iter().chain(&proxies[..first]) {
            measured.push(measure(word, put, proxy, round, options.seconds)?);
        }
        say(format!("{word}: round {} of {}", round + 1, options.rounds));
    }
    // The order of the table is the order of the options, not that of the last round.
    measured
        .sort_by_key(|m| (proxies.iter().position(|proxy| proxy.proxy.word() == m.proxy), m.round));
    Ok(CaseResults { case: word.to_owned(), says: says.to_owned(), measured })
}

#[expect(clippy::cast_precision_loss, reason = "counts of some seconds fit into 52 bits")]
fn measure(
    case: &str,
    put: Put<'_>,
    proxy: &Started,
    round: u32,
    seconds: u32,
) -> Result<Measured> {
    let process = proxy.running.id();
    let (before, watch) = (cpu::used(process), Stopwatch::start());
    let reported = put(proxy, seconds)?;
    let (used, took) = (cpu::used(process).since(before), watch.elapsed());
    let name = proxy.proxy.word();
    if reported.succeeded == 0 {
        bail!("{name} answered no request of the case `{case}`");
    }
    let ticks = (used.user_ticks + used.kernel_ticks).max(1);
    Ok(Measured {
        proxy: name.to_owned(),
        round,
        micros: used.nanos as f64 / 1e3 / reported.succeeded as f64,
        kernel: used.kernel_ticks as f64 / ticks as f64,
        busy: used.nanos as f64 / 1e9 / took.as_secs_f64(),
        per_second: reported.per_second,
        failed: reported.failed,
    })
}

/// Keeps the figures and writes the document from them.
fn write(root: &Path, options: &Options, cases: &[CaseResults], memory: &[Held]) -> Result<()> {
    let results = json!({
        "machine": machine::facts()?,
        "versions": machine::versions(),
        "settings": { "rounds": options.rounds, "seconds": options.seconds, "profile": PROFILE },
        "cases": to_json(cases),
        "memory": { "connections": CONNECTIONS, "held": memory_to_json(memory) },
    });
    let text = serde_json::to_string_pretty(&results)? + "\n";
    let file = root.join(RESULTS);
    fs::create_dir_all(file.parent().context("a file lies in a folder")?)?;
    fs::write(file, text)?;
    say(format!("wrote {RESULTS}"));
    performance::write(root)
}

/// A figure with failed requests in it is worth nothing.
pub(super) fn refuse_failures(cases: &[CaseResults]) -> Result<()> {
    let failed = |m: &&Measured| m.failed > 0;
    let all = || cases.iter().flat_map(|case| &case.measured);
    if let Some(first) = all().find(failed) {
        let count: u64 = all().map(|m| m.failed).sum();
        bail!("{count} requests failed, the first of them at {}; its log says why", first.proxy);
    }
    Ok(())
}
