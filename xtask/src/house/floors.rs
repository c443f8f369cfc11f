//! The floors of the house: which of our crates may depend on which, and what floor 1 may take.

use anyhow::Result;

use super::finding::Finding;
use crate::packages::Package;
use crate::workspace::Workspace;

/// One crate's place in the house.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Floor {
    /// The crate.
    pub(crate) name: &'static str,
    /// Its floor, in words.
    pub(crate) floor: &'static str,
    /// Our crates it may use.
    pub(crate) may_use: &'static [&'static str],
}

/// Every crate, from the ground up.
pub(crate) const FLOORS: [Floor; 7] = [
    Floor { name: LOGIC, floor: "1 decides", may_use: &[] },
    Floor { name: "authmesh", floor: "2 acts", may_use: &[LOGIC] },
    Floor { name: "authmesh-proxy", floor: "3 serves", may_use: &[LOGIC, "authmesh"] },
    Floor {
        name: "authmesh-demo",
        floor: "beside",
        may_use: &[LOGIC, "authmesh", "authmesh-proxy"],
    },
    Floor {
        name: "authmesh-cli",
        floor: "3 serves",
        may_use: &[LOGIC, "authmesh", "authmesh-proxy", "authmesh-demo"],
    },
    Floor {
        name: TESTKIT,
        floor: "beside",
        may_use: &[LOGIC, "authmesh", "authmesh-proxy", "authmesh-demo", "authmesh-cli"],
    },
    Floor { name: "xtask", floor: "beside", may_use: &[] },
];

const LOGIC: &str = "authmesh-logic";

/// Every crate may use it, in tests only.
const TESTKIT: &str = "authmesh-testkit";

/// What the ground floor may take from others: neither needs an operating system.
const GROUND_TAKES: [&str; 2] = ["libm", "serde"];

/// What the ground floor may take under a `cfg` of its own, to be model-checked.
const MODEL_CHECKERS: [&str; 2] = ["loom", "shuttle"];

/// Dependencies that point upward, or out of the ground floor.
pub(crate) fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    let ours: Vec<&str> = workspace.members().map(|package| package.name.as_str()).collect();
    Ok(workspace.members().flat_map(|package| breaches(package, &ours)).collect())
}

fn breaches(package: &Package, ours: &[&str]) -> Vec<Finding> {
    let Some(floor) = FLOORS.iter().find(|floor| floor.name == package.name) else {
        let what = format!("the crate {} stands on no floor; give it one here", package.name);
        return vec![Finding::in_file("xtask/src/house/floors.rs", what)];
    };
    let mut findings = Vec::new();
    let mut report = |what| findings.push(Finding::in_file(&package.name, what));
    for dependency in &package.dependencies {
        let name = dependency.name.as_str();
        if ours.contains(&name) {
            let lawful = floor.may_use.contains(&name) || (dependency.is_dev && name == TESTKIT);
            if !lawful {
                report(format!("uses {name}, which stands above it; move the code up or down"));
            }
        } else if package.name == LOGIC
            && !dependency.is_dev
            && !ground_takes(name, &dependency.target)
        {
            report(format!("takes {name}; floor 1 takes only {}", GROUND_TAKES.join(" and ")));
        }
    }
    findings
}

fn ground_takes(name: &str, target: &str) -> bool {
    GROUND_TAKES.contains(&name) || (MODEL_CHECKERS.contains(&name) && target.contains("authmesh_"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packages::Dependency;

    fn member(name: &str, dependencies: &[(&str, bool, &str)]) -> Package {
        let dependency = |&(name, is_dev, target): &(&str, bool, &str)| Dependency {
            name: name.to_owned(),
            is_dev,
            target: target.to_owned(),
        };
        Package {
            name: name.to_owned(),
            is_member: true,
            dependencies: dependencies.iter().map(dependency).collect(),
            ..Package::default()
        }
    }

    #[test]
    fn upward_and_outward_dependencies_are_caught() {
        let workspace = Workspace {
            packages: vec![
                member(
                    "authmesh-logic",
                    &[
                        ("libm", false, ""),
                        ("loom", false, "cfg(authmesh_loom)"),
                        ("loom", false, ""),
                        ("tokio", false, ""),
                        ("proptest", true, ""),
                        ("authmesh-testkit", true, ""),
                        ("authmesh", false, ""),
                    ],
                ),
                member("authmesh", &[("authmesh-proxy", true, ""), ("tokio", false, "")]),
                member("authmesh-proxy", &[("authmesh-testkit", false, "")]),
                member("authmesh-testkit", &[("authmesh", false, "")]),
                member("authmesh-extra", &[]),
            ],
            ..Workspace::default()
        };
        let found: Vec<String> =
            check(&workspace).unwrap().iter().map(Finding::to_string).collect();
        assert_eq!(
            found,
            [
                "authmesh-logic: takes loom; floor 1 takes only libm and serde",
                "authmesh-logic: takes tokio; floor 1 takes only libm and serde",
                "authmesh-logic: uses authmesh, which stands above it; move the code up or down",
                "authmesh: uses authmesh-proxy, which stands above it; move the code up or down",
                "authmesh-proxy: uses authmesh-testkit, which stands above it; move the code up or down",
                "xtask/src/house/floors.rs: the crate authmesh-extra stands on no floor; give it one here",
            ]
        );
    }
}
