//! One file reads the clock, one draws luck; everything else has them handed in.

use anyhow::Result;

use super::finding::Finding;
use crate::rust_source::{line_of, words};
use crate::workspace::Workspace;

/// Who may read a clock or draw luck: the library's two files, the programs that measure.
const LAWFUL: [&str; 3] =
    ["crates/authmesh/src/clock.rs", "crates/authmesh/src/luck.rs", "xtask/src/stopwatch.rs"];

/// What reads the clock, and what draws luck. Clippy bans the first by type; this scan also sees
/// code that clippy does not build.
const SOURCES: [(&str, &str); 9] = [
    ("Instant::now", "the moment is handed in; one file reads the clock"),
    ("SystemTime::now", "the moment is handed in; one file reads the clock"),
    ("UNIX_EPOCH.elapsed", "the moment is handed in; one file reads the clock"),
    ("RandomState::new", "luck is handed in as dice; one file draws it"),
    ("thread_rng", "luck is handed in as dice; one file draws it"),
    ("rand::rng", "luck is handed in as dice; one file draws it"),
    ("rand::random", "luck is handed in as dice; one file draws it"),
    ("fastrand", "luck is handed in as dice; one file draws it"),
    ("getrandom", "luck is handed in as dice; one file draws it"),
];

/// Every other reading, in shipped code.
pub(crate) fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for file in workspace.rust.iter().filter(|file| !LAWFUL.contains(&file.path.as_str())) {
        for (source, mend) in SOURCES {
            let here = words(&file.shipped, source).map(|at| line_of(&file.shipped, at));
            findings.extend(here.map(|line| Finding::at(&file.path, line, mend)));
        }
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rust_source::RustFile;

    #[test]
    fn a_second_reader_is_caught_and_the_first_is_not() {
        let reading =
            "//! x\nfn a() {\n let _ = std::time::Instant::now();\n fastrand::u8(..);\n}\n";
        let mut workspace = Workspace::default();
        for path in ["crates/authmesh/src/clock.rs", "crates/authmesh/src/mesh.rs", "tests/a.rs"] {
            workspace.rust.push(RustFile::read(path, reading));
        }
        let found: Vec<String> =
            check(&workspace).unwrap().iter().map(Finding::to_string).collect();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("crates/authmesh/src/mesh.rs:3:"));
        assert!(found[1].starts_with("crates/authmesh/src/mesh.rs:4:"));
    }
}
