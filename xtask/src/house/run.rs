//! Walks the rules and reports every breach.

use anyhow::{Result, bail};

use super::finding::Finding;
use super::{
    clock_and_luck, dependencies, documents, first_line, floors, forbidden, locks, module_order,
    places, public_names, sizes, unused,
};
use crate::say::say;
use crate::workspace::Workspace;

/// Whether generated documents are compared with the program or written anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Generated {
    /// A stale one is a finding.
    Compare,
    /// A stale one is replaced.
    Write,
}

/// One rule: what it says, and what breaks it.
type Rule = (&'static str, fn(&Workspace) -> Result<Vec<Finding>>);

const RULES: [Rule; 12] = [
    ("floors: no crate depends upward", floors::check),
    ("module order: a module uses only those above it", module_order::check),
    ("sizes: no file over 500 lines", sizes::check),
    ("first line: a file says what it decides or does", first_line::check),
    ("forbidden: no sleeps in tests, no allow, no ignored test, no to-do", forbidden::check),
    ("locks: none on floor 1", locks::check),
    ("clock and luck: each is read in one file", clock_and_luck::check),
    ("dependencies: versions once, each with its reason", dependencies::check),
    ("public names: each exported once, none by a star", public_names::check),
    ("public names: the list is current", public_names::check_list),
    ("places: no path of one machine", places::check),
    ("documents: generated parts are current", documents::check),
];

/// Holds every rule against the workspace; an error counts the breaches.
pub(crate) fn run(generated: Generated) -> Result<()> {
    let mut workspace = Workspace::load()?;
    if generated == Generated::Write {
        let mut written = public_names::write(&workspace)?;
        written.extend(documents::write(&workspace)?);
        for path in &written {
            say(format!("wrote {path}"));
        }
        if !written.is_empty() {
            workspace = Workspace::load()?;
        }
    }
    say(format!(
        "\nthe rules of the house, over {} Rust files and {} others",
        workspace.rust.len(),
        workspace.texts.len()
    ));
    let mut breaches = 0;
    for (rule, check) in RULES {
        let mut findings = check(&workspace)?;
        findings.sort();
        say(format!("  {} {rule}", if findings.is_empty() { "ok  " } else { "FAIL" }));
        for finding in &findings {
            say(format!("       {finding}"));
        }
        breaches += findings.len();
    }
    for remark in sizes::remarks(&workspace).into_iter().chain(unused::remarks(&workspace)) {
        say(format!("  note {remark}"));
    }
    if breaches > 0 {
        bail!(
            "{breaches} breaches of the rules of the house; each line above says what would be \
             right, and `cargo xtask house --write` renews what is generated"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_house_keeps_its_own_rules() {
        let workspace = Workspace::load().unwrap();
        for (rule, check) in RULES {
            let findings = check(&workspace).unwrap();
            let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
            assert!(lines.is_empty(), "{rule}:\n{}", lines.join("\n"));
        }
    }
}
