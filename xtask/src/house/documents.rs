//! Parts of documents that a program prints: compared here, written anew on request.
//!
//! A part stands between `<!-- begin NAME -->` and `<!-- end NAME -->`; what is printed there is
//! decided by the table below. `docs/performance.md` is printed as a whole.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context, Result};

use super::finding::Finding;
use super::floors::{FLOORS, Floor};
use crate::bench;
use crate::workspace::Workspace;

/// One printed part: the document, its name, what prints it.
type Part = (&'static str, &'static str, fn(&Workspace) -> String);

const PARTS: [Part; 5] = [
    ("README.md", "programs", |workspace| examples(workspace, &PROGRAMS)),
    ("README.md", "examples", |workspace| examples(workspace, &TOPICS)),
    ("ARCHITECTURE.md", "crates", crates),
    ("ARCHITECTURE.md", "layers", layers),
    ("ARCHITECTURE.md", "updates", updates),
];

/// The examples of the README: one topic each, in the order in which they are shown.
const TOPICS: [(&str, &str); 5] = [
    ("circuit_breaker", "A circuit breaker, alone"),
    ("discovery", "Discovery"),
    ("load_balancer", "A load balancer over your own endpoints"),
    ("health", "Health monitoring"),
    ("config", "Configuration"),
];

/// The examples of the README that put a mesh inside a program of a well-known kind.
const PROGRAMS: [(&str, &str); 2] =
    [("axum", "Inside an axum program"), ("tonic", "Inside a tonic program")];

/// The file whose header draws the request lane.
const STACK: &str = "crates/authmesh/src/stack.rs";

/// The file whose header draws the update lane.
const DRIVER: &str = "crates/authmesh/src/driver.rs";

/// Parts that differ from what the program prints.
pub(crate) fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    let stale = renewed(workspace)?;
    Ok(stale
        .into_iter()
        .map(|(path, _)| {
            Finding::in_file(&path, "a generated part is stale; `cargo xtask house --write`")
        })
        .collect())
}

/// Writes every stale document; what was written.
pub(crate) fn write(workspace: &Workspace) -> Result<Vec<String>> {
    let mut written = Vec::new();
    for (path, text) in renewed(workspace)? {
        fs::write(workspace.root.join(&path), text)?;
        written.push(path);
    }
    Ok(written)
}

/// The stale documents, as they should be.
fn renewed(workspace: &Workspace) -> Result<Vec<(String, String)>> {
    let mut documents: Vec<(String, String)> = Vec::new();
    for (path, name, print) in PARTS {
        let known = documents.iter().position(|(document, _)| document == path);
        let text = match known {
            Some(at) => documents.remove(at).1,
            None => workspace.text(path)?.to_owned(),
        };
        let text = with_part(&text, name, &print(workspace))
            .with_context(|| format!("{path} has no part `{name}` between its two markers"))?;
        documents.push((path.to_owned(), text));
    }
    if let Some(text) = bench::document(|path| workspace.texts.get(path).cloned())? {
        documents.push((bench::DOCUMENT.to_owned(), text));
    }
    documents.retain(|(path, text)| workspace.texts.get(path) != Some(text));
    Ok(documents)
}

/// `text` with the inside of one part replaced.
fn with_part(text: &str, name: &str, inside: &str) -> Option<String> {
    let begin = format!("<!-- begin {name} -->\n");
    let (before, rest) = text.split_once(&begin)?;
    let (_, after) = rest.split_once(&format!("<!-- end {name} -->"))?;
    Some(format!("{before}{begin}{inside}<!-- end {name} -->{after}"))
}

/// The examples that exist, as a reader would write them: without the header, the visibility that
/// their tests need, and the lint that forbids libraries to print.
fn examples(workspace: &Workspace, shown: &[(&str, &str)]) -> String {
    let mut printed = String::new();
    for (topic, title) in shown {
        if let Some(file) = workspace.rust_file(&format!("crates/authmesh/examples/{topic}.rs")) {
            let code = file.text.lines().skip_while(|l| l.starts_with("//!") || l.is_empty());
            let code = code.filter(|line| !line.starts_with("#[expect("));
            let code: Vec<&str> =
                code.map(|line| line.strip_prefix("pub(crate) ").unwrap_or(line)).collect();
            let _ = write!(
                printed,
                "**{title}** (`cargo run -p authmesh --example {topic}`)\n\n```rust\n{}\n```\n\n",
                code.join("\n").trim_end()
            );
        }
    }
    printed
}

/// The crates that exist, from the ground up.
fn crates(workspace: &Workspace) -> String {
    let exists = |name: &str| workspace.members().find(|package| package.name == name);
    let mut printed = "| floor | crate | what it does | may use |\n|---|---|---|---|\n".to_owned();
    for Floor { name, floor, may_use } in FLOORS {
        let Some(package) = exists(name) else { continue };
        let may_use = may_use.iter().filter(|name| exists(name).is_some());
        let may_use: Vec<String> = may_use.map(|name| format!("`{name}`")).collect();
        let may_use =
            if may_use.is_empty() { "none of ours".to_owned() } else { may_use.join(", ") };
        let what = &package.description;
        let _ = writeln!(printed, "| {floor} | `{name}` | {what} | {may_use} |");
    }
    printed
}

/// The order of the layers, as the stack's own header draws it.
fn layers(workspace: &Workspace) -> String {
    drawing(workspace, STACK)
}

/// The way of an update, as the driver's own header draws it.
fn updates(workspace: &Workspace) -> String {
    drawing(workspace, DRIVER)
}

/// The first drawing in a file's header; nothing if the file is missing or draws nothing.
fn drawing(workspace: &Workspace, path: &str) -> String {
    let text = workspace.rust_file(path).map_or("", |file| file.text.as_str());
    let header = text.lines().map_while(|line| line.strip_prefix("//!"));
    let header = header.map(|line| line.strip_prefix(' ').unwrap_or(line));
    let inside = header.skip_while(|line| *line != "```text").skip(1);
    let lines: Vec<&str> = inside.take_while(|line| *line != "```").collect();
    if lines.is_empty() { String::new() } else { format!("```\n{}\n```\n", lines.join("\n")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packages::Package;
    use crate::rust_source::RustFile;

    fn workspace(readme: &str) -> Workspace {
        let mut workspace = Workspace::default();
        let parts = |names: [&str; 3]| {
            names.map(|name| format!("<!-- begin {name} -->\nold\n<!-- end {name} -->\n")).concat()
        };
        workspace.texts.insert("README.md".to_owned(), readme.to_owned());
        workspace
            .texts
            .insert("ARCHITECTURE.md".to_owned(), parts(["crates", "layers", "updates"]));
        workspace.rust.push(RustFile::read(
            "crates/authmesh/examples/health.rs",
            "//! Shows.\n\n#[expect(a, reason = \"b\")]\npub(crate) fn main() {}\n",
        ));
        workspace.rust.push(RustFile::read(
            STACK,
            "//! The order.\n//!\n//! ```text\n//! 1 telemetry\n//!   sees all\n//! ```\n//! End.\n",
        ));
        workspace.packages.push(Package {
            name: "authmesh-logic".to_owned(),
            description: "Decides".to_owned(),
            is_member: true,
            ..Package::default()
        });
        workspace
    }

    fn readme(begin: &str) -> String {
        let part = |name| format!("<!-- begin {name} -->\n<!-- end {name} -->\nb\n");
        format!("{begin}{}{}", part("programs"), part("examples"))
    }

    #[test]
    fn a_stale_part_is_caught_and_renewed() {
        let workspace = workspace(&readme("a\n"));
        assert_eq!(check(&workspace).unwrap().len(), 2);
        let renewed = renewed(&workspace).unwrap();
        assert!(renewed[0].1.contains("--example health`)\n\n```rust\nfn main() {}\n```\n"));
        assert!(renewed[1].1.contains("| 1 decides | `authmesh-logic` | Decides | none of ours |"));
        assert!(renewed[1].1.contains("\n```\n1 telemetry\n  sees all\n```\n<!-- end layers"));
        assert!(!renewed[1].1.contains("old") && !renewed[1].1.contains("End."));
    }

    #[test]
    fn a_current_part_is_left_alone() {
        let mut workspace = workspace(&readme(""));
        for (path, text) in renewed(&workspace).unwrap() {
            workspace.texts.insert(path, text);
        }
        assert_eq!(check(&workspace).unwrap(), []);
    }

    #[test]
    fn a_document_without_its_markers_is_an_error() {
        assert!(check(&workspace("no markers")).is_err());
    }
}
