//! Measures circuit breakers side by side, and prints what was measured.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::{machine, performance};
use crate::command::{self, cargo};
use crate::say::say;
use crate::workspace::Workspace;

/// Where the figures are kept.
pub(crate) const RESULTS: &str = "bench/results/breaker.json";

/// In how many processes everything is measured. Where a stack begins is luck, and a process keeps
/// its luck to the end.
const PROCESSES: usize = 15;

/// How far the stack of a process begins from that of the one before, in bytes: what the system
/// rounds to.
const STEP: usize = 16;

/// What we promise of ours, as multiples of the addition.
const PROMISES: [(&str, f64); 4] =
    [("basic", 1.0), ("time", 2.5), ("time_lanes", 2.5), ("refused", 2.0)];

/// The peers' versions, exactly those of the benches' manifest.
const PEERS: [&str; 3] = ["failsafe", "recloser", "tower-resilience-circuitbreaker"];

/// Measures; keeps the figures if the words behind the verb say so.
pub(crate) fn run(words: &[&str]) -> Result<()> {
    let write = match words {
        [] => false,
        ["--write"] => true,
        _ => bail!("`bench breaker` knows only `--write`"),
    };
    let workspace = Workspace::load()?;
    let mut bench = cargo(&workspace.root, &["build", "--locked", "--release"]);
    bench.args(["--manifest-path", "bench/Cargo.toml", "--package", "breakers"]);
    let target = workspace.target.join("bench");
    command::run(bench.arg("--target-dir").arg(&target), "mend what the compiler says above")?;
    let program = target.join("release/breakers");
    let runs: Result<Vec<Value>> =
        (0..PROCESSES).map(|process| measure(&program, process)).collect();
    let mut figures = combined(&runs?).context("a process measured other cases")?;
    figures["machine"] = machine::facts()?;
    figures["peers"] = peers(workspace.text("bench/Cargo.toml")?)?;
    let text = serde_json::to_string_pretty(&figures)? + "\n";
    say(section(&text)?);
    if write {
        fs::write(workspace.root.join(RESULTS), text)?;
        say(format!("wrote {RESULTS}"));
        performance::write(&workspace.root)?;
    }
    Ok(())
}

/// Measures in a process of its own, whose stack begins at another place in a line of the cache.
fn measure(program: &Path, process: usize) -> Result<Value> {
    let mut command = Command::new(program);
    command.env("SHIFT", "x".repeat(STEP * process));
    Ok(serde_json::from_str(&command::output(&mut command)?)?)
}

/// The figures of all processes in one: of each the one in the middle, and beside it the highest.
fn combined(runs: &[Value]) -> Option<Value> {
    let mut figures = runs.first()?.clone();
    figures["processes"] = runs.len().into();
    for (list, keys) in [("cases", &["nanos"][..]), ("threads", &["one", "two"][..])] {
        let cases = figures[list].as_array()?.len();
        for (place, key) in (0..cases).flat_map(|place| keys.iter().map(move |key| (place, key))) {
            let of_run = |run: &Value| run[list][place][key].as_f64();
            let mut nanos = runs.iter().map(of_run).collect::<Option<Vec<f64>>>()?;
            nanos.sort_by(f64::total_cmp);
            figures[list][place][key] = nanos[nanos.len() / 2].into();
            figures[list][place][format!("most_{key}")] = nanos.last().copied()?.into();
        }
    }
    Some(figures)
}

/// The versions of the peers, from the manifest that pins them.
fn peers(manifest: &str) -> Result<Value> {
    let manifest: toml::Table = manifest.parse()?;
    let dependencies = &manifest["workspace"]["dependencies"];
    let version = |peer: &str| {
        let pinned = &dependencies[peer];
        let version = pinned.get("version").unwrap_or(pinned).as_str();
        version.map(|version| version.trim_start_matches('=').to_owned())
    };
    Ok(PEERS.iter().map(|&peer| json!({ "name": peer, "version": version(peer) })).collect())
}

/// The section of the document, from the kept figures.
pub(crate) fn section(figures: &str) -> Result<String> {
    let figures: Value = serde_json::from_str(figures).context("the kept figures are no JSON")?;
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let number = |value: &Value| value.as_f64().context("a figure is missing");
    let (cases, machine) = (list(&figures["cases"]), &figures["machine"]);
    let addition = number(&cases.first().context("no case was measured")?["nanos"])?;
    let peers: Vec<String> = list(&figures["peers"])
        .iter()
        .map(|peer| format!("{} {}", word(&peer["name"]), word(&peer["version"])))
        .collect();
    let mut text = format!(
        "## Circuit breakers\n\n\
         Written by `cargo xtask bench breaker --write`; the figures are kept in `{RESULTS}`. A \
         figure is a multiple of one atomic addition that nobody else wants, measured in the same \
         run.\n\n\
         **Machine.** {} cores, {}, Linux {}.\n\
         **Peers.** {}.\n\
         **Method.** One thread; every case makes {} calls in its turn, {} rounds of turns in each of \
         {} processes; the figure of a process is that of the turns in which the machine was quiet \
         (the lowest fiftieth), and the figure shown that of the process in the middle. The \
         processes differ by where their stack begins, which is luck otherwise. Where \
         ours is handed the time, a caller has read it once for a whole request; the peers read \
         the clock themselves, so the row with two readings is the one to hold beside them. The \
         tower layers are compared with each other.\n\n\
         | case | × one addition | in the slowest process | promised | ns |\n\
         |---|---|---|---|---|\n",
        machine["cores"],
        word(&machine["processor"]),
        word(&machine["kernel"]),
        peers.join(", "),
        figures["calls"],
        figures["rounds"],
        figures["processes"],
    );
    for case in &cases {
        let nanos = number(&case["nanos"])?;
        let name = word(&case["case"]);
        let promised = PROMISES.iter().find(|(promised, _)| *promised == name);
        let promised = promised.map_or("–".to_owned(), |(_, most)| format!("≤ {most}"));
        let most = number(&case["most_nanos"])? / addition;
        let (says, ratio) = (word(&case["says"]), nanos / addition);
        let _ = writeln!(text, "| {says} | {ratio:.2} | {most:.2} | {promised} | {nanos:.1} |");
    }
    text += "\nA second thread on the same breaker, each with a ring of its own, beside a second \
             thread that adds elsewhere (what two threads cost on this machine anyway). A window \
             over the last calls is one point through which all calls pass, in any design.\n\n\
             | case | one thread, ns | each of two, ns | two ÷ one |\n|---|---|---|---|\n";
    for case in list(&figures["threads"]) {
        let (one, two) = (number(&case["one"])?, number(&case["two"])?);
        let (says, ratio) = (word(&case["says"]), two / one);
        let _ = writeln!(text, "| {says} | {one:.1} | {two:.1} | {ratio:.2} |");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_section_says_multiples_of_the_first_case() {
        let run = |nanos: f64| {
            json!({
                "machine": { "cores": 2, "processor": "a processor", "kernel": "6.1" },
                "peers": [{ "name": "recloser", "version": "1.4.0" }],
                "rounds": 9, "calls": 100,
                "cases": [
                    { "case": "fetch_add", "says": "one addition", "nanos": 4.0 },
                    { "case": "time", "says": "a call", "nanos": nanos },
                ],
                "threads": [{ "case": "time", "says": "a call", "one": nanos, "two": 9.9 }],
            })
        };
        let figures = combined(&[8.0, 14.0, 9.0].map(run)).unwrap();
        let text = section(&figures.to_string()).unwrap();
        assert!(text.contains("| a call | 2.25 | 3.50 | ≤ 2.5 | 9.0 |"), "{text}");
        assert!(text.contains("| a call | 9.0 | 9.9 | 1.10 |"), "{text}");
        assert!(text.contains("9 rounds of turns in each of 3 processes"), "{text}");
        assert!(text.contains("**Peers.** recloser 1.4.0."), "{text}");
    }

    #[test]
    fn processes_that_measured_other_cases_are_not_combined() {
        let run = |cases: Value| json!({ "cases": cases, "threads": [] });
        let one = json!([{ "case": "time", "nanos": 1.0 }]);
        assert!(combined(&[run(one.clone()), run(one.clone())]).is_some());
        assert!(combined(&[run(one), run(json!([]))]).is_none());
        assert!(combined(&[]).is_none());
    }

    #[test]
    fn versions_of_peers_are_read_where_they_are_pinned() {
        let manifest = "[workspace.dependencies]\nfailsafe = { version = \"=1.3.0\" }\n\
                        recloser = \"=1.4.0\"\ntower-resilience-circuitbreaker = \"=0.14.0\"\n";
        let peers = peers(manifest).unwrap();
        assert_eq!(peers[0], json!({ "name": "failsafe", "version": "1.3.0" }));
        assert_eq!(peers[1]["version"], "1.4.0");
    }
}
