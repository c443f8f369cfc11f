//! Reads how much processor time a process and all its descendants have used.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// Processor time used so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Used {
    /// On a core, in nanoseconds, as the scheduler counts.
    pub(crate) nanos: u64,
    /// In user space, in clock ticks; coarse, good for a share.
    pub(crate) user_ticks: u64,
    /// In the kernel, in clock ticks.
    pub(crate) kernel_ticks: u64,
}

impl Used {
    /// What was used since `earlier`.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            nanos: self.nanos.saturating_sub(earlier.nanos),
            user_ticks: self.user_ticks.saturating_sub(earlier.user_ticks),
            kernel_ticks: self.kernel_ticks.saturating_sub(earlier.kernel_ticks),
        }
    }
}

/// What the process and its descendants have used.
pub(crate) fn used(process: u32) -> Used {
    let mut sum = Used::default();
    for process in with_descendants(process) {
        let folder = Path::new("/proc").join(process.to_string());
        let stat = fs::read_to_string(folder.join("stat")).unwrap_or_default();
        let fields = fields(&stat);
        let ticks = |at: usize| fields.get(at).and_then(|word| word.parse().ok()).unwrap_or(0);
        sum.user_ticks += ticks(11);
        sum.kernel_ticks += ticks(12);
        let threads = fs::read_dir(folder.join("task")).into_iter().flatten().flatten();
        for thread in threads {
            let schedule = fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
            let nanos = schedule.split(' ').next().and_then(|word| word.parse().ok());
            sum.nanos += nanos.unwrap_or(0_u64);
        }
    }
    sum
}

/// The process and all processes that descend from it.
pub(crate) fn with_descendants(process: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(child) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
        // A process may end between being listed and being read.
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        if let Some(parent) = fields(&stat).get(1).and_then(|word| word.parse().ok()) {
            children.entry(parent).or_default().push(child);
        }
    }
    let mut found = vec![process];
    let mut at = 0;
    while let Some(parent) = found.get(at) {
        found.extend(children.remove(parent).unwrap_or_default());
        at += 1;
    }
    found
}

/// The fields of `/proc/PID/stat` behind the name, which may itself hold spaces and brackets.
fn fields(stat: &str) -> Vec<&str> {
    stat.rsplit_once(')').map_or_else(Vec::new, |(_, rest)| rest.split_whitespace().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_of_this_process_is_counted() {
        let process = std::process::id();
        let before = used(process);
        let mut sum = 0_u64;
        while used(process).since(before).nanos < 1_000_000 {
            sum = std::hint::black_box(sum + 1);
        }
        assert!(used(process).nanos > before.nanos);
    }

    #[test]
    fn children_are_descendants() {
        let mut child = std::process::Command::new("cat")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        assert!(with_descendants(std::process::id()).contains(&child.id()));
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(!with_descendants(std::process::id()).contains(&child.id()));
    }

    #[test]
    fn a_name_with_a_bracket_does_not_shift_the_fields() {
        assert_eq!(fields("7 (a) b) S 1 2")[..2], ["S", "1"]);
    }
}
