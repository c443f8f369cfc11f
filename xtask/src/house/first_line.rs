//! A Rust file begins with one sentence that says what it decides or does.

use anyhow::Result;

use super::finding::Finding;
use crate::workspace::Workspace;

/// Files that begin with anything but `//!`.
pub(crate) fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    let begins_well = |text: &str| {
        text.strip_prefix("//! ").is_some_and(|rest| rest.starts_with(|c: char| !c.is_whitespace()))
    };
    Ok(workspace
        .rust
        .iter()
        .filter(|file| !begins_well(&file.text))
        .map(|file| {
            Finding::at(&file.path, 1, "begin with `//! ` and what this file decides or does")
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rust_source::RustFile;

    #[test]
    fn a_file_without_its_sentence_is_caught() {
        let mut workspace = Workspace::default();
        for (path, text) in
            [("a.rs", "//! Decides.\n"), ("b.rs", "use x;\n"), ("c.rs", "//!\n"), ("d.rs", "")]
        {
            workspace.rust.push(RustFile::read(path, text));
        }
        let found: Vec<String> =
            check(&workspace).unwrap().iter().map(|f| f.to_string()[..4].to_owned()).collect();
        assert_eq!(found, ["b.rs", "c.rs", "d.rs"]);
    }
}
