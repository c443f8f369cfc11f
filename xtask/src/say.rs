//! Speaks to the person at the terminal.

use std::fmt::Display;

/// Prints one line.
#[expect(clippy::print_stdout, reason = "the one place of this program that prints")]
pub(crate) fn say(line: impl Display) {
    println!("{line}");
}
