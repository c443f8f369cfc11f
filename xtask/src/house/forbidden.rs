//! What stands nowhere: sleeps in tests, `allow`, ignored tests, work put off.

use anyhow::Result;

use super::finding::Finding;
use crate::rust_source::{RustFile, line_of, numbered, words};
use crate::workspace::Workspace;

/// Words of work put off, in comments.
const PUT_OFF: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

/// How a test is switched off.
const IGNORED: &str = concat!("#[ign", "ore");

/// Every breach in every Rust file.
pub(crate) fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    Ok(workspace.rust.iter().flat_map(breaches).collect())
}

fn breaches(file: &RustFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut report = |line, what: &str| findings.push(Finding::at(&file.path, line, what));
    for (line, text) in file.test_lines() {
        for sleep in ["sleep", "sleep_until", "park_timeout"] {
            if words(text, sleep).any(|at| text[at + sleep.len()..].starts_with('(')) {
                report(line, "a test waits for a condition or moves the clock; it never sleeps");
            }
        }
    }
    for (line, text) in numbered(&file.code) {
        let squeezed: String = text.split_whitespace().collect();
        if squeezed.contains("#[allow(") || squeezed.contains("#![allow(") {
            report(
                line,
                "`#[expect(lint, reason = \"…\")]`, never `allow`: it says when it is stale",
            );
        }
        if squeezed.contains(IGNORED) {
            report(line, "a test runs or is deleted; none is ignored");
        }
    }
    for word in PUT_OFF {
        for at in words(&file.comments, word) {
            report(line_of(&file.comments, at), "no work is put off in a comment");
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        breaches(&RustFile::read(path, text)).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn a_sleep_is_caught_in_tests_and_lawful_in_shipped_code() {
        let sleeping = "//! x\nfn a() { tokio::time::sleep(d).await; }\n";
        assert_eq!(found("crates/x/src/a.rs", sleeping), Vec::<String>::new());
        assert_eq!(found("crates/x/tests/a.rs", sleeping).len(), 1);
        let inline = "//! x\n#[cfg(test)]\nmod tests {\n fn a() { sleep(d); }\n}\n";
        let found = found("crates/x/src/a.rs", inline);
        assert!(found.len() == 1 && found[0].starts_with("crates/x/src/a.rs:4:"), "{found:?}");
    }

    #[test]
    fn allow_ignored_tests_and_work_put_off_are_caught() {
        let text = format!(
            "//! x\n#[allow(dead_code)]\nfn a() {{}}\n{IGNORED} = \"slow\"]\nfn b() {{}} // {}: c\n",
            PUT_OFF[0]
        );
        let found = found("a.rs", &text);
        assert_eq!(found.len(), 3, "{found:?}");
        for (finding, line) in found.iter().zip([2, 4, 5]) {
            assert!(finding.starts_with(&format!("a.rs:{line}:")), "{finding}");
        }
    }

    #[test]
    fn the_same_words_in_strings_are_lawful() {
        let text = format!("//! x\nconst A: &str = \"#[allow( {} sleep(\";\n", PUT_OFF[1]);
        assert_eq!(found("tests/a.rs", &text), Vec::<String>::new());
    }
}
