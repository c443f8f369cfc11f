//! Measures mutual TLS: requests over kept connections, new connections, and what an idle one holds.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::configuration::TRUST_DOMAIN;
use super::load::{Case, GRACE, Reported, SMALL};
use super::memory::{CONNECTIONS, Held, held};
use super::options::Options;
use super::peers::{LOAD_CORE, Places, Proxy, Started, Upstream};
use super::report::{memory_table, ratios, shares, table};
use super::results::{from_json, memory_from_json, memory_to_json, to_json};
use super::rounds::{PROFILE, build, measure_load, refuse_failures};
use super::{machine, performance};
use crate::command;
use crate::say::say;
use crate::setup::{self, Need};
use crate::workspace::Workspace;

/// Where the figures are kept.
pub(crate) const RESULTS: &str = "bench/results/tls.json";

/// The cases: the word of the load, how many callers, what it is.
const CASES: [(&str, &str, &str); 2] = [
    (
        "kept",
        "64",
        "HTTP/1.1 over 64 kept connections, 195-byte answers; the goal is at most 1.10 times the \
         bare proxy",
    ),
    (
        "new",
        "16",
        "A connection for each request, 16 at once, each by a full handshake; the figures are for \
         each connection, and the goal is at most 1.10 times the bare proxy",
    ),
];

/// What profiles of the two cases show.
const DOMINATES: &str = "\
### What dominates with mutual TLS

**Kept connections.** TLS itself costs authmesh what it costs the bare proxy: under callgrind 8 900
instructions a request where the bare proxy has 8 200 (the rest is the caller's name, which the request
carries upstream), and the same four system calls. What lies between the two is what lies between them
without TLS: see above.

**New connections.** Cryptography dominates: the key exchange, the server's signature, and verifying that
the caller has its key. The caller's chain is verified once and then remembered with the bundle it was held
against ([identity](decisions/identity.md)); so a caller that comes again, as those of this load do, costs one
signature less than in the bare proxy, and that is the difference. One that comes for the first time costs
both the same there.

**Memory.** What TLS adds to an idle connection is the library's: keys, buffers, the caller's chain. A
connection on the short way holds next to nothing beside them; what is read goes through memory that all
connections of a worker share.
";

/// Measures what the options name.
pub(crate) fn run(words: &[&str]) -> Result<()> {
    let options = Options::read(words)?;
    if options.cases != Case::ALL {
        bail!("`bench tls` has no `--cases`: its two go together");
    }
    if !options.proxies.contains(&Proxy::Authmesh) {
        bail!("`bench tls` makes its certificates with authmesh: keep it among the proxies");
    }
    machine::require_two_cores()?;
    setup::run(Need::Everything)?;
    let workspace = Workspace::load()?;
    let places = build(&workspace, &options)?;
    let certificates = certificates(&places)?;
    let upstream = Upstream::start(&places)?;
    let start = |&proxy| Started::start_secure(proxy, &upstream, &places, &certificates);
    let proxies = options.proxies.iter().map(start).collect::<Result<Vec<Started>>>()?;
    let memory = proxies.iter().map(|proxy| idle(proxy, &places, &certificates));
    let memory = memory.collect::<Result<Vec<Held>>>()?;
    say(format!("\n{}", memory_table(&memory)));
    let (mut cases, mut agreed) = (Vec::new(), Vec::new());
    for (word, callers, says) in CASES {
        let put = |proxy: &Started, seconds: u32| {
            Ok(put(&places, &certificates, [word, callers], proxy, seconds)?.0)
        };
        let results = measure_load((word, says), &proxies, &options, &put)?;
        say(format!("\n{word}: {says}\n{}", table(&results)));
        cases.push(results);
    }
    for proxy in &proxies {
        let (_, words) = put(&places, &certificates, ["kept", "1"], proxy, 1)?;
        agreed.push(json!({ "proxy": proxy.proxy.word(), "agreed": words }));
    }
    if options.write {
        let results = json!({
            "machine": machine::facts()?,
            "versions": machine::versions(),
            "settings":
                { "rounds": options.rounds, "seconds": options.seconds, "profile": PROFILE },
            "agreed": agreed,
            "cases": to_json(&cases),
            "memory": { "connections": CONNECTIONS, "held": memory_to_json(&memory) },
        });
        fs::write(workspace.root.join(RESULTS), serde_json::to_string_pretty(&results)? + "\n")?;
        say(format!("wrote {RESULTS}"));
        performance::write(&workspace.root)?;
    }
    refuse_failures(&cases)
}

/// A folder with an authority, and certificates of it for the proxies and for their load.
fn certificates(places: &Places) -> Result<std::path::PathBuf> {
    let folder = places.folder.join("certificates");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    for words in [
        &["ca", "init", TRUST_DOMAIN][..],
        &["ca", "issue", "/gate", "--host", "localhost"],
        &["ca", "issue", "/load", "--host", "localhost"],
    ] {
        let mut authority = Command::new(&places.authmesh);
        command::output(authority.current_dir(&folder).args(words))?;
    }
    // HAProxy reads both from one file.
    let read = |name: &str| fs::read_to_string(folder.join(name));
    fs::write(folder.join("gate.both"), read("gate.pem")? + &read("gate.key")?)?;
    Ok(folder)
}

/// The load program on the load's core.
fn load(places: &Places, folder: &Path, mode: &str, proxy: &Started, callers: &str) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", &LOAD_CORE.to_string()]).arg(&places.load);
    command.args([mode, &proxy.port(Case::Small).to_string()]).arg(folder);
    command.args([SMALL, callers]);
    command
}

/// Puts a load on a proxy; beside it stands what both sides agreed on.
fn put(
    places: &Places,
    folder: &Path,
    [mode, callers]: [&str; 2],
    proxy: &Started,
    seconds: u32,
) -> Result<(Reported, String)> {
    let load = load(places, folder, mode, proxy, callers);
    let mut command = Command::new("timeout");
    command.arg((seconds + GRACE).to_string()).arg(load.get_program()).args(load.get_args());
    let printed = command::output(command.arg(seconds.to_string()))?;
    let read = read(&printed, seconds);
    read.with_context(|| format!("the load generator printed something unknown:\n{printed}"))
}

#[expect(clippy::cast_precision_loss, reason = "counts of some seconds fit into 52 bits")]
fn read(printed: &str, seconds: u32) -> Option<(Reported, String)> {
    let words: Vec<&str> = printed.split_whitespace().collect();
    let ["succeeded", succeeded, "failed", failed, "group", group, "suite", suite] = words[..]
    else {
        return None;
    };
    let succeeded: u64 = succeeded.parse().ok()?;
    let per_second = succeeded as f64 / f64::from(seconds);
    let reported = Reported { succeeded, failed: failed.parse().ok()?, per_second };
    Some((reported, format!("{group}, {suite}")))
}

/// What a proxy holds when idle, and for each idle connection.
#[expect(clippy::cast_precision_loss, reason = "kibibytes of a process fit into 52 bits")]
fn idle(proxy: &Started, places: &Places, folder: &Path) -> Result<Held> {
    let process = proxy.running.id();
    // What the first handshake of all leaves behind belongs to no connection.
    put(places, folder, ["new", "1"], proxy, 1)?;
    let idle = held(process)?;
    let callers = CONNECTIONS.to_string();
    let mut child = load(places, folder, "held", proxy, &callers)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("the load generator could not be started")?;
    let mut line = String::new();
    let out = child.stdout.take().context("its output is piped")?;
    BufReader::new(out).read_line(&mut line)?;
    let with = held(process);
    // Its input ends, and so does it.
    drop(child.stdin.take());
    child.wait()?;
    if line.trim() != "held" {
        bail!("{} did not take {callers} connections", proxy.proxy.word());
    }
    let connection_bytes = with?.saturating_sub(idle) as f64 * 1_024.0 / f64::from(CONNECTIONS);
    Ok(Held { proxy: proxy.proxy.word().to_owned(), idle_kib: idle, connection_bytes })
}

/// The section of the document, from the kept figures.
pub(crate) fn section(results: &str) -> Result<String> {
    let results: Value = serde_json::from_str(results).context("the kept figures are no JSON")?;
    let cases = from_json(&results["cases"]).context("the kept figures are incomplete")?;
    let memory = memory_from_json(&results["memory"]["held"])
        .context("the kept figures of memory are incomplete")?;
    let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let settings = &results["settings"];
    let mut text = format!(
        "## Mutual TLS\n\n\
         Written by `cargo xtask bench tls --write`; the figures are kept in `{RESULTS}`. Callers \
         prove themselves with a certificate and so do the proxies, TLS 1.3 only; the upstream is \
         reached without TLS. Certificates are made by `authmesh ca` (ECDSA over P-256, signed by \
         the root). The load is `bench/tls-load`, as other load generators have no certificate to \
         show. `bare` is the bare proxy with the same TLS library and its own verifier. Nobody \
         takes sessions up again: authmesh does not, as a caller would be believed without being \
         verified, and the others are told not to.\n\n\
         **Method.** As above; {} rounds of {} s.\n\
         **Agreed on.** {}. OpenSSL of this age knows no X25519MLKEM768, so a new connection costs \
         HAProxy and nginx less than the same handshake would.\n",
        word(&settings["rounds"]),
        word(&settings["seconds"]),
        agreed(&results["agreed"]),
    );
    for case in &cases {
        let (name, says) = (&case.case, &case.says);
        let _ = write!(text, "\n### {name}\n\n{says}.\n\n{}{}", ratios(case), shares(case));
    }
    let _ = write!(
        text,
        "\n### Memory with mutual TLS\n\nFor each of {} connections that wait after one request; \
         `Pss`.\n\n{}",
        word(&results["memory"]["connections"]),
        connections(&memory)
    );
    text.push('\n');
    text += DOMINATES;
    Ok(text)
}

fn agreed(all: &Value) -> String {
    let one = |agreed: &Value| {
        let word = |key: &str| agreed[key].as_str().unwrap_or("?").to_owned();
        format!("{}: {}", word("proxy"), word("agreed"))
    };
    all.as_array().into_iter().flatten().map(one).collect::<Vec<_>>().join("; ")
}

/// What a connection holds, and as a ratio to the bare proxy.
fn connections(memory: &[Held]) -> String {
    let bare = memory.iter().find(|held| held.proxy == Proxy::Bare.word());
    let mut text = "| proxy | KiB | ÷ bare |\n|---|---|---|\n".to_owned();
    for held in memory {
        let kibibytes = held.connection_bytes / 1_024.0;
        let ratio = bare.map_or("–".to_owned(), |bare| {
            format!("{:.2}", held.connection_bytes / bare.connection_bytes)
        });
        let _ = writeln!(text, "| {} | {kibibytes:.1} | {ratio} |", held.proxy);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::results::{CaseResults, Measured};

    #[test]
    fn what_the_load_prints_is_read() {
        let line = "succeeded 4000 failed 1 group X25519MLKEM768 suite TLS13_AES_256_GCM_SHA384\n";
        let (reported, agreed) = read(line, 2).unwrap();
        assert_eq!(reported, Reported { succeeded: 4_000, failed: 1, per_second: 2_000.0 });
        assert_eq!(agreed, "X25519MLKEM768, TLS13_AES_256_GCM_SHA384");
        assert_eq!(read("held\n", 2), None);
    }

    #[test]
    fn the_section_shows_ratios_and_what_a_connection_holds() {
        let measured = |proxy: &str, micros: f64| Measured {
            proxy: proxy.to_owned(),
            round: 0,
            micros,
            kernel: 0.5,
            busy: 0.9,
            per_second: 9_000.0,
            failed: 0,
        };
        let case = CaseResults {
            case: "kept".to_owned(),
            says: "Kept connections".to_owned(),
            measured: vec![measured("bare", 40.0), measured("authmesh", 42.0)],
        };
        let held = |proxy: &str, connection_bytes: f64| Held {
            proxy: proxy.to_owned(),
            idle_kib: 5_000,
            connection_bytes,
        };
        let memory = [held("bare", 20_480.0), held("authmesh", 25_600.0)];
        let results = json!({
            "settings": { "rounds": 3, "seconds": 2 },
            "agreed": [{ "proxy": "bare", "agreed": "X25519MLKEM768, A" }],
            "cases": to_json(&[case]),
            "memory": { "connections": 500, "held": memory_to_json(&memory) },
        });
        let text = section(&results.to_string()).unwrap();
        for line in [
            "| authmesh | 1.05 (1.05 … 1.05) | – | 50 % | 90 % |",
            "| authmesh | 25.0 | 1.25 |",
            "### kept",
        ] {
            assert!(text.lines().any(|own| own == line), "{line}\n{text}");
        }
        assert!(text.contains("bare: X25519MLKEM768, A."), "{text}");
    }
}
