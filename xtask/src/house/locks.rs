//! No lock on floor 1: whoever decides for a request waits for nobody.

use anyhow::Result;

use super::finding::Finding;
use crate::rust_source::{line_of, words};
use crate::workspace::Workspace;

/// Where no lock stands.
const FLOOR: &str = "crates/authmesh-logic/src/";

/// What locks or waits, by the names under which it is known.
const LOCKS: [&str; 13] = [
    "Mutex",
    "RwLock",
    "ReentrantLock",
    "Once",
    "OnceLock",
    "LazyLock",
    "Condvar",
    "Barrier",
    "Semaphore",
    "spin",
    "spin_loop",
    "yield_now",
    "park",
];

/// Every lock in shipped code of floor 1.
pub(crate) fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for file in workspace.rust.iter().filter(|file| file.path.starts_with(FLOOR)) {
        for lock in LOCKS {
            let what =
                format!("`{lock}` waits; floor 1 exchanges words, or is handed what it needs");
            let lines = words(&file.shipped, lock).map(|at| line_of(&file.shipped, at));
            findings.extend(lines.map(|line| Finding::at(&file.path, line, what.clone())));
        }
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rust_source::RustFile;

    #[test]
    fn a_lock_is_caught_on_floor_1_and_lawful_in_its_tests_and_above() {
        let locking = "//! x\nuse spin::Mutex;\nfn a() { core::hint::spin_loop(); }\n\
                       #[cfg(test)]\nmod tests { use std::sync::Mutex; }\n";
        let mut workspace = Workspace::default();
        for path in ["crates/authmesh-logic/src/retry/a.rs", "crates/authmesh/src/mesh.rs"] {
            workspace.rust.push(RustFile::read(path, locking));
        }
        let found: Vec<String> =
            check(&workspace).unwrap().iter().map(Finding::to_string).collect();
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found.iter().all(|line| line.starts_with("crates/authmesh-logic/src/retry/a.rs:")));
    }
}
