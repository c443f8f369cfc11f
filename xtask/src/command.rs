//! Runs another program, says so, and says what to do when it fails.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::say::say;
use crate::stopwatch::Stopwatch;

/// Where programs of administrators lie, though they are not always on the search path.
const MORE_PLACES: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// Runs `command` with its output shown; an error names the command and how to mend it.
pub(crate) fn run(command: &mut Command, mend: &str) -> Result<()> {
    let line = written(command);
    say(format!("\n$ {line}"));
    let watch = Stopwatch::start();
    let status = command.status().with_context(|| format!("`{line}` could not be started"))?;
    if !status.success() {
        bail!("`{line}` failed ({status}); {mend}");
    }
    say(format!("  took {:.1} s", watch.elapsed().as_secs_f64()));
    Ok(())
}

/// Runs `command` quietly; what it printed on standard output.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let line = written(command);
    let output = command.output().with_context(|| format!("`{line}` could not be started"))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        bail!("`{line}` failed ({}): {}", output.status, words.trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{line}` printed no UTF-8"))
}

/// Cargo, as it was called, in the folder of the workspace.
pub(crate) fn cargo(root: &Path, words: &[&str]) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(root).args(words);
    command
}

/// Whether cargo has this subcommand, named as the program that does it.
pub(crate) fn cargo_has(subcommand: &str) -> bool {
    find_program(&format!("cargo-{subcommand}")).is_some()
}

/// Where a program lies: on the search path or where programs of administrators do.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(MORE_PLACES.iter().map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

fn written(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(OsStr::new("?")).to_string_lossy().into_owned();
    command.get_args().fold(name, |line, word| line + " " + &word.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_command_names_itself_and_the_mend() {
        let error = run(Command::new("sh").args(["-c", "exit 3"]), "do better").unwrap_err();
        let words = error.to_string();
        assert!(words.contains("sh -c exit 3") && words.contains("do better"), "{words}");
    }

    #[test]
    fn a_program_that_is_nowhere_is_not_found() {
        assert!(find_program("sh").is_some());
        assert!(find_program("no-program-has-this-name").is_none());
    }
}
