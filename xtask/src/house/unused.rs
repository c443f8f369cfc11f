//! Dependencies that a crate's code names nowhere: they cost build time and trust for nothing.

use crate::packages::Package;
use crate::rust_source::words;
use crate::workspace::Workspace;

/// Every such dependency, in words.
pub(crate) fn remarks(workspace: &Workspace) -> Vec<String> {
    workspace.members().flat_map(|package| unnamed(workspace, package)).collect()
}

fn unnamed(workspace: &Workspace, package: &Package) -> Vec<String> {
    let folders = [format!("crates/{}/", package.name), format!("{}/", package.name)];
    let files = || {
        let is_its_own = |path: &str| folders.iter().any(|folder| path.starts_with(folder));
        workspace.rust.iter().filter(move |file| is_its_own(&file.path))
    };
    let mut remarks = Vec::new();
    for dependency in &package.dependencies {
        let name = dependency.name.replace('-', "_");
        let is_named = files().any(|file| {
            let code = if dependency.is_dev { &file.code } else { &file.shipped };
            words(code, &name).next().is_some()
        });
        if !is_named {
            let kind = if dependency.is_dev { "test" } else { "shipped" };
            remarks.push(format!(
                "{}: no {kind} code names `{}`; is it needed?",
                package.name, dependency.name
            ));
        }
    }
    remarks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packages::Dependency;
    use crate::rust_source::RustFile;

    #[test]
    fn a_dependency_that_only_tests_name_is_not_shipped() {
        let dependency = |name: &str, is_dev| Dependency {
            name: name.to_owned(),
            is_dev,
            ..Dependency::default()
        };
        let mut workspace = Workspace::default();
        for (path, text) in [
            ("crates/a/src/lib.rs", "use http_body::Body;\n"),
            ("crates/a/tests/b.rs", "use axum::Router;\nuse tower::Service;\n"),
            ("crates/b/src/lib.rs", "use bytes::Bytes;\n"),
        ] {
            workspace.rust.push(RustFile::read(path, text));
        }
        workspace.packages.push(Package {
            name: "a".to_owned(),
            is_member: true,
            dependencies: vec![
                dependency("http-body", false),
                dependency("tower", false),
                dependency("axum", true),
                dependency("bytes", false),
            ],
            ..Package::default()
        });
        assert_eq!(
            remarks(&workspace),
            [
                "a: no shipped code names `tower`; is it needed?",
                "a: no shipped code names `bytes`; is it needed?",
            ]
        );
    }
}
