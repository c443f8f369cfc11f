//! Judges packages by `deny.toml`: lawful licences, bans, one version of each.

use anyhow::{Context, Result};
use toml::{Table, Value};

use crate::packages::Package;

/// What `deny.toml` says, as far as it can be held without another program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    licences: Vec<String>,
    banned: Vec<(String, String)>,
    twice: Vec<String>,
}

impl Terms {
    /// Reads `deny.toml`.
    pub(crate) fn read(text: &str) -> Result<Self> {
        let table: Table = text.parse().context("deny.toml is no TOML")?;
        let list = |part: &str, key: &str| -> Vec<Value> {
            let found = table.get(part).and_then(|part| part.get(key));
            found.and_then(Value::as_array).cloned().unwrap_or_default()
        };
        let word = |value: &Value, key: &str| {
            let found = value.get(key).or(Some(value)).and_then(Value::as_str);
            found.unwrap_or_default().to_owned()
        };
        Ok(Self {
            licences: list("licenses", "allow").iter().map(|value| word(value, "")).collect(),
            banned: list("bans", "deny")
                .iter()
                .map(|value| (word(value, "crate"), word(value, "reason")))
                .collect(),
            twice: list("bans", "skip").iter().map(|value| word(value, "crate")).collect(),
        })
    }

    /// What is wrong with these packages, one sentence each.
    pub(crate) fn problems(&self, packages: &[Package]) -> Vec<String> {
        let mut problems = Vec::new();
        for package in packages.iter().filter(|package| !package.is_member) {
            let name = format!("{} {}", package.name, package.version);
            match &package.license {
                None => problems.push(format!("{name} states no licence")),
                Some(licence) if !self.is_lawful(licence) => {
                    problems.push(format!("{name}: no licence of `{licence}` is on the list"));
                }
                Some(_) => {}
            }
            if let Some((_, reason)) = self.banned.iter().find(|(ban, _)| *ban == package.name) {
                problems.push(format!("{name} is banned: {reason}"));
            }
        }
        let versions = |name: &str| packages.iter().filter(|p| p.name == name).count();
        let mut names: Vec<&str> = packages.iter().map(|p| p.name.as_str()).collect();
        names.dedup();
        for name in names {
            let exempt = self.twice.iter().any(|skip| versionless(skip) == name);
            match versions(name) {
                2.. if !exempt => problems.push(format!(
                    "{name} is built in more than one version; unite them or skip one with a reason"
                )),
                1 if exempt => problems.push(format!("{name} is skipped, but stands only once")),
                _ => {}
            }
        }
        problems.sort();
        problems.dedup();
        problems
    }

    /// Whether an SPDX expression can be met with licences of the list.
    fn is_lawful(&self, expression: &str) -> bool {
        let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
        let words: Vec<&str> = spaced.split_whitespace().collect();
        let mut rest = words.as_slice();
        let met = self.any_of(&mut rest);
        met && rest.is_empty()
    }

    fn any_of(&self, words: &mut &[&str]) -> bool {
        let mut met = self.all_of(words);
        while let ["OR", rest @ ..] = *words {
            *words = rest;
            met |= self.all_of(words);
        }
        met
    }

    fn all_of(&self, words: &mut &[&str]) -> bool {
        let mut met = self.one(words);
        while let ["AND", rest @ ..] = *words {
            *words = rest;
            met &= self.one(words);
        }
        met
    }

    fn one(&self, words: &mut &[&str]) -> bool {
        match *words {
            ["(", rest @ ..] => {
                *words = rest;
                let met = self.any_of(words);
                if let [")", rest @ ..] = *words {
                    *words = rest;
                }
                met
            }
            [licence, "WITH", exception, rest @ ..] => {
                *words = rest;
                self.licences.contains(&format!("{licence} WITH {exception}"))
            }
            [licence, rest @ ..] => {
                *words = rest;
                self.licences.iter().any(|lawful| lawful == licence)
            }
            [] => false,
        }
    }
}

/// A crate as `deny.toml` names it, without its version.
fn versionless(name: &str) -> &str {
    name.split(['@', ':']).next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DENY: &str = r#"
        [licenses]
        allow = ["MIT", "Apache-2.0", "ISC"]
        [bans]
        deny = [{ crate = "openssl-sys", reason = "rustls does TLS" }]
        skip = [{ crate = "syn@2.0.0", reason = "moving" }]
    "#;

    fn package(name: &str, version: &str, license: Option<&str>) -> Package {
        Package {
            name: name.to_owned(),
            version: version.to_owned(),
            license: license.map(str::to_owned),
            ..Package::default()
        }
    }

    #[test]
    fn expressions_are_met_as_spdx_means_them() {
        let terms = Terms::read(DENY).unwrap();
        for (expression, lawful) in [
            ("MIT", true),
            ("MIT/GPL-3.0", true),
            ("GPL-3.0 OR MIT", true),
            ("ISC AND (Apache-2.0 OR GPL-3.0) AND MIT", true),
            ("GPL-3.0", false),
            ("MIT AND GPL-3.0", false),
            ("MIT AND (GPL-3.0 OR LGPL-3.0)", false),
            ("Apache-2.0 WITH LLVM-exception", false),
            ("MIT)", false),
            ("", false),
        ] {
            assert_eq!(terms.is_lawful(expression), lawful, "{expression}");
        }
    }

    #[test]
    fn bans_duplicates_and_strange_licences_are_reported() {
        let terms = Terms::read(DENY).unwrap();
        let packages = [
            package("a", "1.0.0", Some("MIT")),
            package("a", "2.0.0", Some("MIT")),
            package("b", "1.0.0", None),
            package("c", "1.0.0", Some("GPL-3.0")),
            package("openssl-sys", "1.0.0", Some("MIT")),
            package("syn", "2.0.0", Some("MIT")),
        ];
        assert_eq!(
            terms.problems(&packages),
            [
                "a is built in more than one version; unite them or skip one with a reason",
                "b 1.0.0 states no licence",
                "c 1.0.0: no licence of `GPL-3.0` is on the list",
                "openssl-sys 1.0.0 is banned: rustls does TLS",
                "syn is skipped, but stands only once",
            ]
        );
    }
}
