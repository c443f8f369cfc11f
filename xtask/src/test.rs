//! Runs every test: what documents and examples say, the models, the crates and whole programs.

use std::path::Path;

use anyhow::Result;

use crate::command::{self, cargo};
use crate::models;
use crate::setup::{self, Need};
use crate::workspace::Workspace;

/// What to do when a test fails.
const MEND: &str = "the failing test is named above";

/// Runs the tests whose names contain one of `filters`, or all.
pub(crate) fn run(filters: &[&str]) -> Result<()> {
    setup::run(Need::Tests)?;
    let workspace = Workspace::load()?;
    let root = workspace.root.as_path();
    if filters.is_empty() {
        // What fails to compile should be known before anything runs.
        build(root)?;
        command::run(&mut cargo(root, &["test", "--locked", "--workspace", "--doc"]), MEND)?;
        models::run(&workspace)?;
    }
    crates(root, filters)
}

/// Builds everything that a test may run: crates, their tests, examples, programs.
fn build(root: &Path) -> Result<()> {
    let words = ["test", "--locked", "--workspace", "--all-targets", "--no-run"];
    command::run(&mut cargo(root, &words), "mend what the compiler says above")
}

/// Runs the tests of the crates last: the closing line of this run is that of all.
fn crates(root: &Path, filters: &[&str]) -> Result<()> {
    let runner: &[&str] =
        if command::cargo_has("nextest") { &["nextest", "run"] } else { &["test"] };
    let mut command = cargo(root, runner);
    command.args(["--locked", "--workspace", "--all-targets", "--no-fail-fast"]);
    if !filters.is_empty() {
        command.arg("--").args(filters);
    }
    command::run(&mut command, MEND)
}
