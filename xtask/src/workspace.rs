//! The workspace as the rules see it: its files, its packages, read once and handed in.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::packages::{self, Package};
use crate::rust_source::RustFile;

/// Endings of the files that are read beside Rust's.
const READ: [&str; 12] =
    ["toml", "lock", "md", "txt", "json", "html", "css", "js", "cfg", "conf", "yml", "sh"];

/// Names without an ending that are read too.
const READ_BY_NAME: [&str; 4] = ["run", "LICENSE-MIT", "LICENSE-APACHE", ".gitignore"];

/// Folders that hold nothing of ours.
const SKIPPED: [&str; 2] = ["target", ".git"];

/// Files larger than this are data, not prose or code.
const LARGEST: u64 = 1024 * 1024;

/// The files and packages of the workspace.
#[derive(Clone, Debug, Default)]
pub(crate) struct Workspace {
    /// Where it lies.
    pub(crate) root: PathBuf,
    /// Every Rust file.
    pub(crate) rust: Vec<RustFile>,
    /// Every other readable file, by path from the root.
    pub(crate) texts: BTreeMap<String, String>,
    /// Every package that a build for Linux takes, ours and others'.
    pub(crate) packages: Vec<Package>,
    /// Where builds go.
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// Reads the workspace this program belongs to.
    pub(crate) fn load() -> Result<Self> {
        // Cargo says it at run time too; what was built in may be another clone's.
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR");
        let own = manifest.map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
        let root = own.parent().context("xtask lies in no workspace")?;
        let mut workspace = Self { root: root.to_path_buf(), ..Self::default() };
        workspace.read_folder(root)?;
        workspace.find_test_files();
        (workspace.packages, workspace.target) = packages::read(&workspace.root)?;
        Ok(workspace)
    }

    /// A file's text; an error says that it is missing.
    pub(crate) fn text(&self, path: &str) -> Result<&str> {
        self.texts.get(path).map(String::as_str).with_context(|| format!("{path} is missing"))
    }

    /// A Rust file.
    pub(crate) fn rust_file(&self, path: &str) -> Option<&RustFile> {
        self.rust.iter().find(|file| file.path == path)
    }

    /// Our packages, by name.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.is_member)
    }

    fn read_folder(&mut self, folder: &Path) -> Result<()> {
        let mut entries: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let (path, kind) = (entry.path(), entry.file_type()?);
            let name = entry.file_name().to_string_lossy().into_owned();
            if kind.is_dir() {
                if !SKIPPED.contains(&name.as_str()) {
                    self.read_folder(&path)?;
                }
            } else if kind.is_file() && entry.metadata()?.len() <= LARGEST {
                self.read_file(&path, &name)?;
            }
        }
        Ok(())
    }

    fn read_file(&mut self, path: &Path, name: &str) -> Result<()> {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let relative = path.strip_prefix(&self.root)?.to_string_lossy().into_owned();
        if ending == "rs" {
            let text =
                fs::read_to_string(path).with_context(|| format!("{relative} is no text"))?;
            self.rust.push(RustFile::read(&relative, &text));
        } else if READ.contains(&ending) || READ_BY_NAME.contains(&name) {
            // A sample for a test may be no text on purpose.
            if let Ok(text) = String::from_utf8(fs::read(path)?) {
                self.texts.insert(relative, text);
            }
        }
        Ok(())
    }

    /// Marks the files of modules declared under `#[cfg(test)]`.
    pub(crate) fn find_test_files(&mut self) {
        let mut tests = Vec::new();
        for file in &self.rust {
            let folder = module_folder(&file.path);
            tests.extend(file.test_modules().iter().map(|name| format!("{folder}/{name}")));
        }
        for file in &mut self.rust {
            let module = file.path.trim_end_matches(".rs");
            let is_test = |test: &String| {
                module
                    .strip_prefix(test)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            if tests.iter().any(is_test) {
                file.become_test();
            }
        }
    }
}

/// The folder that holds the modules of a file: `a/mod.rs` and `a/lib.rs` own `a`, `a/b.rs` owns `a/b`.
fn module_folder(path: &str) -> &str {
    ["/mod.rs", "/lib.rs", "/main.rs", ".rs"]
        .iter()
        .find_map(|ending| path.strip_suffix(ending))
        .unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_declared_under_test_is_a_test_file_with_all_below_it() {
        let mut workspace = Workspace::default();
        for (path, text) in [
            ("crates/x/src/lib.rs", "mod a;\n#[cfg(test)]\nmod oracle;\n"),
            ("crates/x/src/a.rs", "fn a() {}\n"),
            ("crates/x/src/oracle/mod.rs", "fn b() {}\n"),
            ("crates/x/src/oracle/rows.rs", "fn c() {}\n"),
            ("crates/x/src/oracles.rs", "fn d() {}\n"),
        ] {
            workspace.rust.push(RustFile::read(path, text));
        }
        workspace.find_test_files();
        let tests: Vec<&str> =
            workspace.rust.iter().filter(|f| f.is_test).map(|f| f.path.as_str()).collect();
        assert_eq!(tests, ["crates/x/src/oracle/mod.rs", "crates/x/src/oracle/rows.rs"]);
    }

    #[test]
    fn the_workspace_that_holds_this_program_can_be_read() {
        let workspace = Workspace::load().unwrap();
        assert!(workspace.rust_file("xtask/src/workspace.rs").is_some());
        assert!(workspace.texts.contains_key("Cargo.lock"));
        assert!(workspace.members().any(|package| package.name == "authmesh-logic"));
        assert!(workspace.packages.iter().any(|package| package.name == "tokio"));
    }
}
