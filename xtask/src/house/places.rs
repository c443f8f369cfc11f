//! No path of one person's machine stands in the tree: it says nothing on another.

use anyhow::Result;

use super::finding::Finding;
use crate::rust_source::numbered;
use crate::workspace::Workspace;

/// How such paths begin. Split, so that this file does not hold what it looks for.
const PLACES: [&str; 4] =
    [concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/wo", "rk/"), concat!("/Us", "ers/")];

/// Every such path in every file but locks.
pub(crate) fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    let rust = workspace.rust.iter().map(|file| (file.path.as_str(), file.text.as_str()));
    let texts = workspace.texts.iter().map(|(path, text)| (path.as_str(), text.as_str()));
    let mut findings = Vec::new();
    for (path, text) in rust.chain(texts).filter(|(path, _)| !path.ends_with(".lock")) {
        for (line, words) in numbered(text) {
            if PLACES.iter().any(|place| names(words, place)) {
                let what = "a path of one machine; write it from the root of the workspace";
                findings.push(Finding::at(path, line, what));
            }
        }
    }
    Ok(findings)
}

/// Whether `place` stands in `line` as the beginning of a path, not inside a longer one.
fn names(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '}' | '*'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rust_source::RustFile;

    #[test]
    fn a_path_of_one_machine_is_caught_in_code_and_prose() {
        let mut workspace = Workspace::default();
        let line = format!("see {}notes.md\n", PLACES[2]);
        workspace.rust.push(RustFile::read("a.rs", &format!("//! {line}")));
        workspace.texts.insert("b.md".to_owned(), format!("fine\n{line}"));
        workspace.texts.insert("c.md".to_owned(), format!("example.org{}x\n", PLACES[0]));
        let found: Vec<String> =
            check(&workspace).unwrap().iter().map(|f| f.to_string()[..6].to_owned()).collect();
        assert_eq!(found, ["a.rs:1", "b.md:2"]);
    }
}
