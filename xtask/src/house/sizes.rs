//! No Rust file grows over 500 lines; over 400 is where to look for the second noun.

use anyhow::Result;

use super::finding::Finding;
use crate::workspace::Workspace;

/// The most lines of a file.
const CEILING: usize = 500;

/// Where to look for the second noun.
const LOOK: usize = 400;

/// Files over the ceiling.
pub(crate) fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    Ok(longer_than(workspace, CEILING)
        .map(|(path, lines)| {
            Finding::in_file(
                path,
                format!("{lines} lines, the ceiling is {CEILING}; move a noun out"),
            )
        })
        .collect())
}

/// Files to look at, in words.
pub(crate) fn remarks(workspace: &Workspace) -> Vec<String> {
    longer_than(workspace, LOOK)
        .map(|(path, lines)| format!("{path}: {lines} lines; is there a second noun?"))
        .collect()
}

fn longer_than(workspace: &Workspace, limit: usize) -> impl Iterator<Item = (&str, usize)> {
    workspace
        .rust
        .iter()
        .map(|file| (file.path.as_str(), file.text.lines().count()))
        .filter(move |(_, lines)| *lines > limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rust_source::RustFile;

    #[test]
    fn a_file_over_the_ceiling_is_caught_and_one_near_it_remarked() {
        let mut workspace = Workspace::default();
        for (path, lines) in [("a.rs", 400), ("b.rs", 401), ("c.rs", 501)] {
            workspace.rust.push(RustFile::read(path, &"//! x\n".repeat(lines)));
        }
        let found: Vec<String> =
            check(&workspace).unwrap().iter().map(Finding::to_string).collect();
        assert_eq!(found, ["c.rs: 501 lines, the ceiling is 500; move a noun out"]);
        assert_eq!(remarks(&workspace).len(), 2);
    }
}
