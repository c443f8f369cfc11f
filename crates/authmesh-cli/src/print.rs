//! Writes what was asked for to stdout, and words to stderr. Whoever stops reading is not told on.

use std::io::{self, Write};

use authmesh::config::Problems;

/// Writes a line of what was asked for.
pub(crate) fn asked(line: &str) {
    let mut stdout = io::stdout().lock();
    // The reader of a pipe may have seen enough.
    let _ = writeln!(stdout, "{}", line.trim_end_matches('\n'));
    let _ = stdout.flush();
}

/// Writes bytes that were asked for, as they are.
pub(crate) fn asked_bytes(bytes: &[u8]) {
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(bytes);
    let _ = stdout.flush();
}

/// Writes words for people.
pub(crate) fn words(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", line.trim_end_matches('\n'));
}

/// Writes words for people, if there are any.
pub(crate) fn words_if_any(text: &str) {
    if !text.is_empty() {
        words(text);
    }
}

/// Writes what was found wrong with a file, for people.
pub(crate) fn report(problems: &Problems) {
    if !problems.is_empty() {
        words(&problems.to_string());
    }
}
