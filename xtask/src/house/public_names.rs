//! The public names of the library: exported once, never by a star, listed in a file whose
//! difference is a difference to review.
//!
//! Read textually from the doors, `lib.rs` and the files of its `pub mod` lines: what `pub use`
//! brings in, and public items at the left margin. A name behind another door is that door's.

use std::fs;

use anyhow::Result;

use super::finding::Finding;
use super::module_order::leaves;
use crate::rust_source::{RustFile, item_end, line_of};
use crate::workspace::Workspace;

/// Where the list stands.
const LIST: &str = "docs/public-names.txt";

/// The library.
const LIBRARY: &str = "crates/authmesh/src";

/// Kinds of items that have a name.
const KINDS: [&str; 9] =
    ["struct", "enum", "trait", "fn", "async fn", "const fn", "type", "const", "static"];

/// Names exported twice or by a star.
pub(crate) fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut seen: Vec<(String, String)> = Vec::new();
    for (door, file) in doors(workspace) {
        for export in exports(file) {
            let mut report = |what| findings.push(Finding::at(&file.path, export.line, what));
            if export.name == "*" {
                report("a star exports names that nobody listed; write them".to_owned());
            } else if let Some((_, other)) =
                seen.iter().find(|(source, _)| *source == export.source)
            {
                report(format!("`{}` is exported already, in `{other}`", export.source));
            } else if !export.source.is_empty() {
                seen.push((export.source, door.clone()));
            }
        }
    }
    Ok(findings)
}

/// Whether the list is that of the program.
pub(crate) fn check_list(workspace: &Workspace) -> Result<Vec<Finding>> {
    let (now, listed) = (list(workspace), workspace.texts.get(LIST).map_or("", String::as_str));
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (now, listed) = (lines(&now), lines(listed));
    let added = now.iter().filter(|name| !listed.contains(name));
    let removed = listed.iter().filter(|name| !now.contains(name));
    let added = added.map(|name| format!("`{name}` is new"));
    let removed = removed.map(|name| format!("`{name}` is gone"));
    Ok(added
        .chain(removed)
        .map(|what| {
            Finding::in_file(LIST, what + "; if that is meant, `cargo xtask house --write`")
        })
        .collect())
}

/// Writes the list if it is stale; what was written.
pub(crate) fn write(workspace: &Workspace) -> Result<Vec<String>> {
    let now = list(workspace);
    if workspace.texts.get(LIST) == Some(&now) {
        return Ok(Vec::new());
    }
    fs::write(workspace.root.join(LIST), now)?;
    Ok(vec![LIST.to_owned()])
}

fn list(workspace: &Workspace) -> String {
    let mut names: Vec<String> = doors(workspace)
        .flat_map(|(door, file)| {
            let exports = exports(file).into_iter();
            exports.map(move |export| format!("{door}::{}\n", export.name))
        })
        .collect();
    names.sort();
    names.concat()
}

/// The library's root and the file of each of its public modules.
fn doors(workspace: &Workspace) -> impl Iterator<Item = (String, &RustFile)> {
    let root = workspace.rust_file(&format!("{LIBRARY}/lib.rs"));
    let modules = root.into_iter().flat_map(|root| {
        root.shipped.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
    });
    let modules = modules.filter_map(|module| {
        let file = workspace
            .rust_file(&format!("{LIBRARY}/{module}.rs"))
            .or_else(|| workspace.rust_file(&format!("{LIBRARY}/{module}/mod.rs")))?;
        Some((format!("authmesh::{module}"), file))
    });
    root.map(|root| ("authmesh".to_owned(), root)).into_iter().chain(modules)
}

/// One exported name.
struct Export {
    name: String,
    /// The path it comes from; empty if it is made here.
    source: String,
    line: usize,
}

fn exports(file: &RustFile) -> Vec<Export> {
    let code = &file.shipped;
    let starts = code.match_indices("pub ").map(|(at, _)| at);
    let starts = starts.filter(|at| *at == 0 || code[..*at].ends_with('\n'));
    let mut exports = Vec::new();
    for at in starts {
        let line = line_of(code, at);
        let item = &code[at + "pub ".len()..item_end(code, at)];
        if let Some(path) = item.strip_prefix("use ") {
            let path = path.trim_end_matches(';');
            let sources = flatten("", path);
            let renamed = leaves(path).into_iter().zip(sources);
            exports.extend(renamed.map(|(name, source)| Export { name, source, line }));
        } else {
            let kind = KINDS.iter().find_map(|kind| item.strip_prefix(kind)?.strip_prefix(' '));
            let name = kind.map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_'));
            if let Some(name) = name.and_then(|mut parts| parts.next()) {
                exports.push(Export { name: name.to_owned(), source: String::new(), line });
            }
        }
    }
    exports
}

/// Every full path of a `use`, in the order they are written, new names left out.
fn flatten(before: &str, path: &str) -> Vec<String> {
    let path = path.trim();
    let Some((stem, group)) = path.split_once('{') else {
        let path = path.split(" as ").next().unwrap_or(path);
        return if path.is_empty() { Vec::new() } else { vec![format!("{before}{}", path.trim())] };
    };
    let group = group.trim_end().strip_suffix('}').unwrap_or(group);
    let stem = format!("{before}{}", stem.trim());
    let mut depth = 0_u32;
    let parts = group.split(|c| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    });
    parts.flat_map(|part| flatten(&stem, part)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(root: &str, health: &str) -> Workspace {
        let mut workspace = Workspace::default();
        for (name, text) in [("lib", root), ("health/mod", health)] {
            workspace.rust.push(RustFile::read(&format!("{LIBRARY}/{name}.rs"), text));
        }
        workspace
    }

    const ROOT: &str = "//! x\nmod mesh;\npub mod health;\n\npub use mesh::{Mesh, Builder as MeshBuilder};\n\
        /// x\npub async fn wait() {}\npub(crate) use mesh::Hidden;\n#[cfg(test)]\nmod tests { pub fn t() {} }\n";

    #[test]
    fn names_are_listed_under_their_door() {
        let workspace = workspace(
            ROOT,
            "pub use logic::health::{Policy, check::{Check}};\n\
            impl A {\n    pub fn inner() {}\n}\npub struct Prober<T>(T);\npub const fn f() {}\n",
        );
        assert_eq!(
            list(&workspace),
            "authmesh::Mesh\nauthmesh::MeshBuilder\nauthmesh::health::Check\n\
             authmesh::health::Policy\nauthmesh::health::Prober\nauthmesh::health::f\n\
             authmesh::wait\n"
        );
        assert_eq!(check(&workspace).unwrap(), []);
    }

    #[test]
    fn a_name_exported_twice_and_a_star_are_caught() {
        let workspace = workspace(ROOT, "pub use mesh::Builder;\npub use logic::health::*;\n");
        let found: Vec<String> =
            check(&workspace).unwrap().iter().map(Finding::to_string).collect();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains(":1: `mesh::Builder` is exported already"), "{found:?}");
        assert!(found[1].contains(":2: a star"), "{found:?}");
    }

    #[test]
    fn a_name_that_comes_or_goes_is_caught() {
        let mut workspace = workspace(ROOT, "");
        let stale = "authmesh::Mesh\nauthmesh::MeshBuilder\nauthmesh::gone\n";
        workspace.texts.insert(LIST.to_owned(), stale.to_owned());
        let found: Vec<String> =
            check_list(&workspace).unwrap().iter().map(Finding::to_string).collect();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("`authmesh::wait` is new"), "{found:?}");
        assert!(found[1].contains("`authmesh::gone` is gone"), "{found:?}");
    }
}
