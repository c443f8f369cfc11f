//! The demonstration as a person runs it, asked from another terminal while it runs.

use std::process::Command;

use serde_json::Value;

use crate::program::{Program, command, run};

#[test]
fn a_running_demonstration_is_found_from_another_terminal() {
    let home = tempfile::tempdir().unwrap();
    let in_home = |arguments: &[&str]| {
        let mut command = command(home.path(), arguments);
        command.env("XDG_RUNTIME_DIR", home.path());
        command
    };
    let demo = Program::start(in_home(&["demo", "--seconds", "8", "--seed", "5", "--json"]));
    demo.hear("phase 1 of 8");
    let admin = demo.hear("admin ").split_whitespace().last().unwrap().to_owned();
    for asking in [vec!["status", "-o", "json"], vec!["status", "-o", "json", "--admin", &admin]] {
        let status: Value = read(in_home(&asking));
        assert_eq!(status["services"].as_array().unwrap().len(), 3, "{status}");
    }

    let report: Value = serde_json::from_str(&demo.hear("{\"version\"")).unwrap();
    assert_eq!(report["admin"], *admin);
    assert_eq!(report["phases"].as_array().unwrap().len(), 8);
    assert!(demo.end().success());
    assert_eq!(home.path().read_dir().unwrap().count(), 0, "it leaves nothing behind");
    assert_eq!(in_home(&["status"]).output().unwrap().status.code(), Some(3));
}

#[test]
fn a_demonstration_too_short_to_show_anything_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let run = run(home.path(), &["demo", "--seconds", "7"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("8..=3600"), "{}", run.stderr);
}

fn read(mut command: Command) -> Value {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
