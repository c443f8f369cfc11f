//! The workspace as the rules see it: its files, its packages, read once and handed in.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::command;
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

/// Asks cargo for every package that a build or a test for Linux compiles. Its metadata would also
/// name optional packages that nobody switched on.
const BUILT: [&str; 8] = [
    "tree",
    "--workspace",
    "--edges=normal,build,dev",
    "--target=x86_64-unknown-linux-gnu",
    "--prefix=none",
    "--format={p}",
    "--color=never",
    "--quiet",
];

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

/// One package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Package {
    /// Its name.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// What it is.
    pub(crate) description: String,
    /// Its licence, as an SPDX expression.
    pub(crate) license: Option<String>,
    /// Whether it is ours.
    pub(crate) is_member: bool,
    /// What it names in its manifest.
    pub(crate) dependencies: Vec<Dependency>,
}

/// One dependency of a package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Dependency {
    /// The package's name.
    pub(crate) name: String,
    /// Whether only tests, examples and benches have it.
    pub(crate) is_dev: bool,
    /// Under which `cfg` it is taken; empty is always.
    pub(crate) target: String,
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
        let ask = |words: &[&str]| {
            command::output(command::cargo(root, words).args(["--locked"])).context(
                "the packages are unknown; if Cargo.lock is stale, run `cargo update --workspace`",
            )
        };
        let metadata: Value = serde_json::from_str(&ask(&["metadata", "--format-version=1"])?)?;
        workspace.target = text(&metadata["target_directory"]).into();
        workspace.packages = packages(&metadata, &built(&ask(&BUILT)?));
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
        let read = || fs::read_to_string(path).with_context(|| format!("{relative} is no text"));
        if ending == "rs" {
            let file = RustFile::read(&relative, &read()?);
            self.rust.push(file);
        } else if READ.contains(&ending) || READ_BY_NAME.contains(&name) {
            let text = read()?;
            self.texts.insert(relative, text);
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

/// Names and versions, from lines such as `bytes v1.2.0 (proc-macro)`.
fn built(tree: &str) -> BTreeSet<(String, String)> {
    let package = |line: &str| {
        let (name, rest) = line.split_once(" v")?;
        Some((name.to_owned(), rest.split(' ').next()?.to_owned()))
    };
    tree.lines().filter_map(package).collect()
}

fn packages(metadata: &Value, built: &BTreeSet<(String, String)>) -> Vec<Package> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let members = list(&metadata["workspace_members"]);
    let dependency = |value: &Value| Dependency {
        name: text(&value["name"]),
        is_dev: value["kind"] == "dev",
        target: text(&value["target"]),
    };
    list(&metadata["packages"])
        .iter()
        .filter(|package| built.contains(&(text(&package["name"]), text(&package["version"]))))
        .map(|package| Package {
            name: text(&package["name"]),
            version: text(&package["version"]),
            description: text(&package["description"]),
            license: package["license"].as_str().map(str::to_owned),
            is_member: members.contains(&package["id"]),
            dependencies: list(&package["dependencies"]).iter().map(dependency).collect(),
        })
        .collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
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
    fn packages_are_read_from_the_tree() {
        let tree = "authmesh v0.1.0 (a/path)\nsyn v2.0.1 (proc-macro)\nsyn v2.0.1 (*)\n\n";
        let built: Vec<_> = built(tree).into_iter().collect();
        let pair = |name: &str, version: &str| (name.to_owned(), version.to_owned());
        assert_eq!(built, [pair("authmesh", "0.1.0"), pair("syn", "2.0.1")]);
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
