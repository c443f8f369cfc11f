//! Runs the breaker's models: its shipped files, on atomics whose interleaving a checker chooses.

use std::path::Path;

use anyhow::Result;

use crate::command::{self, cargo};
use crate::workspace::Workspace;

/// One checker: the `cfg` that lets it choose, and the tests that it runs.
struct Checker {
    name: &'static str,
    flags: &'static str,
    tests: &'static [&'static str],
}

const CHECKERS: [Checker; 2] = [
    Checker {
        name: "loom",
        flags: "--cfg authmesh_loom -D warnings",
        tests: &["--lib", "--", "circuit_breaker::tests::models::"],
    },
    Checker {
        name: "shuttle",
        flags: "--cfg authmesh_shuttle -D warnings",
        // The shipped files bring their own tests along, which want no scheduler.
        tests: &["--test", "shuttle", "--", "--skip", "::tests::"],
    },
];

/// What to do when a model fails.
const MEND: &str = "the model named above found an order of events that breaks its promise, or \
                    missed a planted fault";

/// Runs both checkers. Each build has a folder of its own, for its flags reach every crate in it.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let (root, target) = (workspace.root.as_path(), workspace.target.join("models"));
    CHECKERS.iter().try_for_each(|checker| check(root, &target, checker))
}

fn check(root: &Path, target: &Path, checker: &Checker) -> Result<()> {
    let mut command = cargo(root, &["test", "--locked", "--package", "authmesh-logic"]);
    command.arg("--target-dir").arg(target.join(checker.name)).args(checker.tests);
    command.env("RUSTFLAGS", checker.flags);
    command::run(&mut command, MEND)
}
