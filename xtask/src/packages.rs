//! The packages that a build takes, ours and others', as cargo tells them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::command;

/// The platform whose packages count.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

/// Asks cargo for every package that a build or a test for Linux compiles. Its metadata would also
/// name optional packages that nobody switched on.
const BUILT: [&str; 9] = [
    "tree",
    "--workspace",
    "--edges=normal,build,dev",
    "--target",
    PLATFORM,
    "--prefix=none",
    "--format={p}",
    "--color=never",
    "--quiet",
];

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

/// Reads the packages of the workspace at `root`, and where its builds go.
pub(crate) fn read(root: &Path) -> Result<(Vec<Package>, PathBuf)> {
    let ask = |words: &[&str]| {
        command::output(command::cargo(root, words).arg("--locked")).context(
            "the packages are unknown; if Cargo.lock is stale, run `cargo update --workspace`",
        )
    };
    let filter = ["metadata", "--format-version=1", "--filter-platform", PLATFORM];
    let metadata: Value = serde_json::from_str(&ask(&filter)?)?;
    let target = text(&metadata["target_directory"]).into();
    Ok((packages(&metadata, &built(&ask(&BUILT)?)), target))
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
    fn packages_are_read_from_the_tree() {
        let tree = "authmesh v0.1.0 (a/path)\nsyn v2.0.1 (proc-macro)\nsyn v2.0.1 (*)\n\n";
        let built: Vec<_> = built(tree).into_iter().collect();
        let pair = |name: &str, version: &str| (name.to_owned(), version.to_owned());
        assert_eq!(built, [pair("authmesh", "0.1.0"), pair("syn", "2.0.1")]);
    }
}
