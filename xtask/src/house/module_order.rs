//! In a crate's `lib.rs` or `main.rs` the modules stand in the order in which they may use one
//! another: each only those above it.

use anyhow::Result;

use super::finding::Finding;
use crate::rust_source::{RustFile, is_word, item_end, line_of, words};
use crate::workspace::Workspace;

/// Uses of a module that stands below the user.
pub(crate) fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for root in &workspace.rust {
        let Some(folder) = crate_folder(&root.path) else { continue };
        let order = Order::read(&root.shipped);
        for file in workspace.rust.iter().filter(|file| !file.is_test) {
            if let Some(module) = module_path(&file.path, folder) {
                findings.extend(order.breaches(file, &module));
            }
        }
    }
    Ok(findings)
}

/// The `src` folder of a crate, if this file is its root.
fn crate_folder(path: &str) -> Option<&str> {
    let folder = path.strip_suffix("lib.rs").or_else(|| path.strip_suffix("main.rs"))?;
    (folder.ends_with("/src/")).then_some(folder)
}

/// The path of the module a file holds: `a/b.rs` and `a/b/mod.rs` are `[a, b]`; the root has none.
fn module_path<'a>(path: &'a str, folder: &str) -> Option<Vec<&'a str>> {
    let inside = path.strip_prefix(folder)?.strip_suffix(".rs")?;
    let inside = inside.strip_suffix("/mod").unwrap_or(inside);
    let module: Vec<&str> = inside.split('/').collect();
    (module != ["lib"] && module != ["main"] && module[0] != "bin").then_some(module)
}

/// The modules of a crate in their order, and the names its root passes on.
struct Order {
    modules: Vec<String>,
    passed_on: Vec<(String, String)>,
}

impl Order {
    fn read(root: &str) -> Self {
        let mut order = Self { modules: Vec::new(), passed_on: Vec::new() };
        for at in words(root, "mod") {
            let name = word_at(root, root[at + 3..].find(is_name_start).map_or(at, |n| at + 3 + n));
            if root[at..item_end(root, at)].ends_with(';') {
                order.modules.push(name.to_owned());
            }
        }
        for at in words(root, "use") {
            let path = root[at + 3..item_end(root, at)].trim().trim_start_matches("crate::");
            let module = word_at(path, 0);
            if order.modules.iter().any(|known| known == module) {
                for name in leaves(path) {
                    order.passed_on.push((name, module.to_owned()));
                }
            }
        }
        order
    }

    /// What in this file uses a module below its own.
    fn breaches(&self, file: &RustFile, module: &[&str]) -> Vec<Finding> {
        let Some(own) = self.place(module[0]) else { return Vec::new() };
        let mut findings = Vec::new();
        for (at, name) in names_at_root(&file.shipped, module.len()) {
            let passed_on = self.passed_on.iter().find(|(leaf, _)| *leaf == name);
            let target = passed_on.map_or(name.as_str(), |(_, module)| module.as_str());
            if self.place(target).is_some_and(|place| place > own) {
                let what = format!(
                    "`{}` uses `{target}`, which stands below it in the crate's root; move the \
                     module line or the code",
                    module[0]
                );
                findings.push(Finding::at(&file.path, line_of(&file.shipped, at), what));
            }
        }
        findings
    }

    fn place(&self, module: &str) -> Option<usize> {
        self.modules.iter().position(|known| known == module)
    }
}

/// Every name taken from the crate's root, as `crate::name` or by as many `super::` as the file
/// lies deep, and where.
fn names_at_root(code: &str, depth: usize) -> Vec<(usize, String)> {
    let mut names = Vec::new();
    let climb = "super::".repeat(depth);
    for (start, path) in [("crate", "crate::"), ("super", climb.as_str())] {
        for at in words(code, start) {
            let is_inner = code[..at].ends_with("::");
            if let Some(rest) = code[at..].strip_prefix(path)
                && !is_inner
                && !rest.starts_with("super::")
            {
                let from = at + path.len();
                names.extend(first_names(code, from).into_iter().map(|name| (at, name)));
            }
        }
    }
    names
}

/// The first name of a path, or of every path of a brace group.
fn first_names(code: &str, from: usize) -> Vec<String> {
    if !code[from..].starts_with('{') {
        return vec![word_at(code, from).to_owned()];
    }
    let group = &code[from + 1..item_end(code, from).saturating_sub(1).max(from + 1)];
    let mut depth = 0_u32;
    let parts = group.split(|c| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    });
    parts.map(|part| word_at(part.trim(), 0).to_owned()).filter(|name| !name.is_empty()).collect()
}

/// The names that a `use` brings in, by their last segment; renamed ones by the new name.
pub(super) fn leaves(path: &str) -> Vec<String> {
    let flat = path.trim_end_matches(';');
    let parts = flat.split(['{', '}', ',']).map(str::trim).filter(|part| !part.is_empty());
    parts
        .filter(|part| !part.ends_with("::"))
        .map(|part| part.rsplit([':', ' ']).next().unwrap_or(part).to_owned())
        .collect()
}

fn word_at(code: &str, at: usize) -> &str {
    let rest = &code[at..];
    let end = rest.bytes().position(|b| !is_word(b)).unwrap_or(rest.len());
    &rest[..end]
}

fn is_name_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "//! x\nmod dice;\n\npub mod breaker;\n\npub mod config;\n\n\
        pub use dice::Dice;\npub use config::{Config, problem::Problem as Fault};\n\
        #[cfg(test)]\nmod tests;\n";

    fn found(path: &str, text: &str) -> Vec<String> {
        let mut workspace = Workspace::default();
        workspace.rust.push(RustFile::read("crates/x/src/lib.rs", ROOT));
        workspace.rust.push(RustFile::read(path, text));
        check(&workspace).unwrap().iter().map(Finding::to_string).collect()
    }

    fn caught(path: &str, text: &str) {
        let found = found(path, text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(found[0].contains("uses `config`"), "{found:?}");
    }

    #[test]
    fn a_use_of_a_module_below_is_caught_however_it_is_written() {
        for text in [
            "use crate::config::Config;",
            "use crate::{dice::Dice, config::{self, Config}};",
            "fn a() { crate::config::read(); }",
            "use crate::Config;",
            "use crate::{Dice, Fault};",
        ] {
            caught("crates/x/src/breaker/window.rs", text);
        }
        caught("crates/x/src/breaker/window.rs", "use super::super::config::Config;");
        caught("crates/x/src/breaker/mod.rs", "use super::config::Config;");
        caught("crates/x/src/dice.rs", "use super::config::Config;");
    }

    #[test]
    fn the_line_is_told() {
        let found = found("crates/x/src/dice.rs", "//! x\n\nuse crate::breaker::Breaker;\n");
        assert!(found[0].starts_with("crates/x/src/dice.rs:3: "), "{found:?}");
    }

    #[test]
    fn uses_of_modules_above_and_uses_in_tests_are_lawful() {
        for (path, text) in [
            ("crates/x/src/config/mod.rs", "use crate::{breaker::Policy, dice::Dice};"),
            ("crates/x/src/breaker.rs", "use crate::Dice; use crate::breaker::window;"),
            ("crates/x/src/breaker/window.rs", "use super::config::Of;"),
            ("crates/x/src/dice.rs", "#[cfg(test)]\nmod tests { use crate::config::Config; }"),
            ("crates/x/src/dice.rs", "// crate::config\nconst A: &str = \"crate::config\";"),
            ("crates/y/src/dice.rs", "use crate::config::Config;"),
        ] {
            assert_eq!(found(path, text), Vec::<String>::new(), "{path}: {text}");
        }
    }

    #[test]
    fn leaves_are_the_names_a_use_brings_in() {
        assert_eq!(leaves("a::{B, c::{D, E as F}, g::h}"), ["B", "D", "F", "h"]);
        assert_eq!(leaves("a::b::C;"), ["C"]);
    }
}
