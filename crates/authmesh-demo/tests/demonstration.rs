//! A short demonstration from outside: what it reports, and that nothing is left of it.
#![expect(clippy::unwrap_used, reason = "a test ends where its expectation does")]

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use authmesh_demo::{Ending, Options, Phase, run};
use serde_json::Value;

#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_short_demonstration_reports_every_phase_and_leaves_nothing_behind() {
    let paper = Paper::default();
    let options = Options {
        seconds: 16,
        seed: 7,
        out: Box::new(paper.clone()),
        is_terminal: false,
        is_coloured: false,
    };
    let Ending::Done(report) = run(options).unwrap() else { panic!("nobody interrupted it") };
    let words = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
    let report = serde_json::to_value(report).unwrap();
    println!("{words}\n{report}");

    assert_eq!(
        (&report["version"], &report["seconds"], &report["seed"]),
        (&1.into(), &16.into(), &7.into())
    );
    assert!(report["saturated"].is_boolean());
    assert!(report["admin"].as_str().unwrap().starts_with("http://127.0.0.1:"));
    let leaks = &report["leaks"];
    for what in ["permits", "connections", "tasks"] {
        assert_eq!(leaks[what], 0, "{what} leaked");
    }

    let phases = report["phases"].as_array().unwrap();
    let names: Vec<_> = phases.iter().map(|phase| phase["name"].as_str().unwrap()).collect();
    assert_eq!(names, Phase::ALL.map(Phase::name));
    for phase in phases {
        check(phase);
    }
    for door in ["admin ", "metrics ", "registry ", "authmesh status --admin"] {
        assert!(words.contains(door), "{door} is not told");
    }
    assert!(!words.contains('\x1b'), "codes of a terminal where there is none");
}

fn check(phase: &Value) {
    let name = phase["name"].as_str().unwrap();
    assert_eq!(phase["seconds"], 2.0);
    let (mesh, naive) = (&phase["mesh"], &phase["naive"]);
    for side in [mesh, naive] {
        let count = |key: &str| side[key].as_u64().unwrap();
        assert!(count("requests") > 0, "{name}: no load");
        assert_eq!(count("ok") + count("denied") + count("failed"), count("requests"), "{name}");
        assert!(side["p50_ms"].as_f64().unwrap() <= side["p99_ms"].as_f64().unwrap(), "{name}");
        assert_eq!(count("denied") > 0, name == "stuffing", "{name}: only guesses are denied");
    }
    assert_eq!(mesh["requests"], naive["requests"], "{name}: both sides follow one plan");
    assert_eq!(mesh["spent_twice"], 0, "{name}");
    // Which side does better hangs on the machine as well and is what a whole run shows.
    let count = |key: &str| mesh[key].as_u64().unwrap();
    assert!(count("failed") < count("requests") / 2, "{name}: {mesh}");
}
