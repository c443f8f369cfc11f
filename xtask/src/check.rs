//! Everything that can be known without running a test, cheapest first.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::command::{self, cargo};
use crate::house::{self, Generated};
use crate::licences::Terms;
use crate::say::say;
use crate::workspace::Workspace;

/// Lints that turn every warning into an error.
const STRICT: [&str; 3] = ["--", "-D", "warnings"];

/// Runs every check; the first that fails ends it.
pub(crate) fn run() -> Result<()> {
    let workspace = Workspace::load()?;
    let root = workspace.root.as_path();
    command::run(&mut cargo(root, &["fmt", "--all", "--check"]), "run `cargo fmt --all`")?;
    command::run(
        &mut cargo(root, &["fmt", "--manifest-path", "bench/Cargo.toml", "--all", "--check"]),
        "run `cargo fmt --manifest-path bench/Cargo.toml --all`",
    )?;
    house::run(Generated::Compare)?;
    licences(&workspace)?;
    let lint = ["clippy", "--locked", "--workspace", "--all-targets"];
    command::run(cargo(root, &lint).args(STRICT), "mend what clippy says above")?;
    benches(root, &workspace.target)?;
    documentation(root)?;
    advisories(root)?;
    say("\ncheck: everything that could be checked holds");
    Ok(())
}

/// Holds `deny.toml` against the packages of the lock file.
fn licences(workspace: &Workspace) -> Result<()> {
    let problems = Terms::read(workspace.text("deny.toml")?)?.problems(&workspace.packages);
    say(format!("\nlicences, bans and duplicates of {} packages", workspace.packages.len()));
    for problem in &problems {
        say(format!("  FAIL {problem}"));
    }
    if !problems.is_empty() {
        bail!("{} packages break deny.toml; the lines above say how", problems.len());
    }
    Ok(())
}

/// Lints the benches, a workspace of their own.
fn benches(root: &Path, target: &Path) -> Result<()> {
    let lint = ["clippy", "--locked", "--manifest-path", "bench/Cargo.toml", "--all-targets"];
    let mut command = cargo(root, &lint);
    command.arg("--target-dir").arg(target.join("bench")).args(STRICT);
    command::run(&mut command, "mend what clippy says above")
}

/// Builds the documentation; a broken link is an error.
fn documentation(root: &Path) -> Result<()> {
    let words = ["doc", "--locked", "--workspace", "--no-deps"];
    let mut command = cargo(root, &words);
    command.env("RUSTDOCFLAGS", "-D warnings");
    command::run(&mut command, "mend what rustdoc says above")
}

/// Known faults of dependencies, where a program and its database can say.
fn advisories(root: &Path) -> Result<()> {
    let Some(deny) = command::find_program("cargo-deny") else {
        say("\nnot checked: advisories (cargo-deny is not installed; `cargo install cargo-deny`)");
        return Ok(());
    };
    let fetch = |word: &str| {
        let mut command = Command::new(&deny);
        command.current_dir(root).args([word, "db"]);
        command::output(&mut command)
    };
    if let Err(error) = fetch("fetch") {
        say(format!("\nnot checked: advisories (their database cannot be reached: {error})"));
        return Ok(());
    }
    let mut command = Command::new(&deny);
    command.current_dir(root).args(["check", "advisories"]);
    command::run(&mut command, "update the dependency, or state in deny.toml why it is harmless")
}
