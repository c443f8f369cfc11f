//! Versions stand once, in the root manifest; each dependency has its reason in a table; the
//! benches are built from the same versions.

use anyhow::{Context, Result};
use toml::{Table, Value};

use super::finding::Finding;
use crate::workspace::Workspace;

/// Where the reasons stand.
const REASONS: &str = "docs/decisions/dependencies.md";

/// Every breach.
pub(crate) fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    let mut findings = reasons(workspace)?;
    findings.extend(versions(workspace)?);
    findings.extend(benches(workspace)?);
    Ok(findings)
}

/// Dependencies without a row in the table, and rows without a dependency.
fn reasons(workspace: &Workspace) -> Result<Vec<Finding>> {
    let root: Table = workspace.text("Cargo.toml")?.parse().context("Cargo.toml is no TOML")?;
    let table = root.get("workspace").and_then(|part| part.get("dependencies"));
    let table = table.and_then(Value::as_table).context("no [workspace.dependencies]")?;
    let is_ours = |value: &Value| value.get("path").is_some();
    let taken: Vec<&str> =
        table.iter().filter(|(_, value)| !is_ours(value)).map(|(name, _)| name.as_str()).collect();
    let Some(text) = workspace.texts.get(REASONS) else {
        return Ok(vec![Finding::in_file(
            REASONS,
            "missing: it says why each dependency is taken",
        )]);
    };
    let explained: Vec<(usize, &str)> = rows(text).collect();
    let unexplained = taken
        .iter()
        .filter(|name| !explained.iter().any(|(_, row)| row == *name))
        .map(|name| Finding::in_file(REASONS, format!("no row says why `{name}` is taken")));
    let stale = explained.iter().filter(|(_, row)| !taken.contains(row)).map(|(line, row)| {
        Finding::at(REASONS, *line, format!("`{row}` is no dependency any more"))
    });
    Ok(unexplained.chain(stale).collect())
}

/// The first cells of the table that name a dependency, with their lines.
fn rows(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().filter_map(|(at, line)| {
        let name = line.strip_prefix("| `")?.split('`').next()?;
        Some((at + 1, name))
    })
}

/// Members that write a version themselves.
fn versions(workspace: &Workspace) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let manifests = workspace.texts.iter().filter(|(path, _)| is_members_manifest(path));
    for (path, text) in manifests {
        let manifest: Table = text.parse().with_context(|| format!("{path} is no TOML"))?;
        let targets = manifest.get("target").and_then(Value::as_table);
        let tables = targets
            .into_iter()
            .flat_map(|targets| targets.values().filter_map(Value::as_table))
            .chain([&manifest]);
        for table in tables {
            for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
                let list = table.get(kind).and_then(Value::as_table);
                for (name, value) in list.into_iter().flatten() {
                    if value.get("workspace") != Some(&Value::Boolean(true)) {
                        let what = format!("`{name}` has its own version; take the workspace's");
                        findings.push(Finding::in_file(path, what));
                    }
                }
            }
        }
    }
    Ok(findings)
}

fn is_members_manifest(path: &str) -> bool {
    path == "xtask/Cargo.toml" || (path.starts_with("crates/") && path.ends_with("/Cargo.toml"))
}

/// Packages that the benches' lock has in a version which the workspace does not build.
fn benches(workspace: &Workspace) -> Result<Vec<Finding>> {
    const LOCK: &str = "bench/Cargo.lock";
    let Some(text) = workspace.texts.get(LOCK) else { return Ok(Vec::new()) };
    let ours = locked(workspace.text("Cargo.lock")?)?;
    let strays = locked(text)?.into_iter().filter(|(name, version)| {
        let mut same = ours.iter().filter(|(ours, _)| ours == name).peekable();
        same.peek().is_some() && !same.any(|(_, ours)| ours == version)
    });
    Ok(strays
        .map(|(name, version)| {
            let what = format!("{name} {version} is not the version that the workspace builds");
            Finding::in_file(LOCK, what)
        })
        .collect())
}

fn locked(lock: &str) -> Result<Vec<(String, String)>> {
    let table: Table = lock.parse().context("a Cargo.lock is no TOML")?;
    let packages = table.get("package").and_then(Value::as_array).cloned().unwrap_or_default();
    let word = |package: &Value, key: &str| {
        package.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    Ok(packages.iter().map(|package| (word(package, "name"), word(package, "version"))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "[workspace.dependencies]\nauthmesh = { path = \"crates/authmesh\" }\n\
        bytes = \"1\"\nhttp = { version = \"1\" }\n";

    fn workspace(files: &[(&str, &str)]) -> Workspace {
        let mut workspace = Workspace::default();
        workspace.texts.insert("Cargo.toml".to_owned(), ROOT.to_owned());
        workspace.texts.insert("Cargo.lock".to_owned(), lock("bytes", "1.2.0"));
        for (path, text) in files {
            workspace.texts.insert((*path).to_owned(), (*text).to_owned());
        }
        workspace
    }

    fn lock(name: &str, version: &str) -> String {
        format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n")
    }

    fn found(workspace: &Workspace) -> Vec<String> {
        check(workspace).unwrap().iter().map(Finding::to_string).collect()
    }

    #[test]
    fn a_dependency_without_a_reason_and_a_reason_without_one_are_caught() {
        let text = "# x\n| `bytes` | a | b |\n| `gone` | a | b |\n";
        assert_eq!(
            found(&workspace(&[(REASONS, text)])),
            [
                "docs/decisions/dependencies.md: no row says why `http` is taken",
                "docs/decisions/dependencies.md:3: `gone` is no dependency any more",
            ]
        );
        assert_eq!(found(&workspace(&[])).len(), 1);
    }

    #[test]
    fn a_version_outside_the_root_is_caught() {
        let manifest = "[dependencies]\nbytes.workspace = true\n[dev-dependencies]\nhttp = \"1\"\n\
            [target.'cfg(unix)'.dependencies]\nnix = { version = \"1\" }\n";
        let reasons = "| `bytes` |\n| `http` |\n";
        let found =
            found(&workspace(&[(REASONS, reasons), ("crates/authmesh/Cargo.toml", manifest)]));
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("`nix`") && found[1].contains("`http`"), "{found:?}");
    }

    #[test]
    fn benches_of_another_version_are_caught() {
        let reasons = "| `bytes` |\n| `http` |\n";
        let bench = lock("bytes", "1.1.0") + &lock("only-here", "3.0.0");
        let found = found(&workspace(&[(REASONS, reasons), ("bench/Cargo.lock", &bench)]));
        assert_eq!(
            found,
            ["bench/Cargo.lock: bytes 1.1.0 is not the version that the workspace builds"]
        );
    }
}
