//! Notices that a configuration file changed.
//!
//! The files are looked at, not subscribed to: that works on every file system, and for files that
//! are replaced, linked to or mounted. A change counts once it has rested for one look, so that a
//! file is not read while it is being written.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};

/// How often the files are looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// The files of a configuration and how they looked when they were read.
pub(crate) struct Changes {
    files: Vec<PathBuf>,
    read: Vec<Look>,
    before: Vec<Look>,
    looks: Interval,
}

/// How a file looks from outside; `None` is not there.
type Look = Option<(u64, u64, u64, i64, i64)>;

impl Changes {
    /// Watches `files`, which must have been read just now.
    pub(crate) fn new(files: Vec<PathBuf>) -> Self {
        let read = look(&files);
        let mut looks = interval(LOOK_INTERVAL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { before: read.clone(), read, files, looks }
    }

    /// Waits until a file has changed since it was last read. Cancel-safe.
    pub(crate) async fn next(&mut self) {
        loop {
            self.looks.tick().await;
            let now = look(&self.files);
            let has_rested = now == self.before;
            self.before = now;
            if has_rested && self.before != self.read {
                return;
            }
        }
    }

    /// Notes that the files are about to be read.
    pub(crate) fn note_reading(&mut self) {
        self.read = look(&self.files);
    }

    /// Watches these files from now on.
    pub(crate) fn watch(&mut self, files: Vec<PathBuf>) {
        if self.files != files {
            self.files = files;
            self.note_reading();
        }
    }
}

fn look(files: &[PathBuf]) -> Vec<Look> {
    let look = |file: &PathBuf| {
        let facts = std::fs::metadata(file).ok()?;
        Some((facts.dev(), facts.ino(), facts.size(), facts.mtime(), facts.mtime_nsec()))
    };
    files.iter().map(look).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_change_is_told_once_and_silence_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mesh.toml");
        std::fs::write(&file, "a").unwrap();
        let mut changes = Changes::new(vec![file.clone()]);
        let patience = Duration::from_secs(60);
        assert!(tokio::time::timeout(patience, changes.next()).await.is_err());

        for content in ["ab", "abc"] {
            std::fs::write(&file, content).unwrap();
            tokio::time::timeout(patience, changes.next()).await.unwrap();
            changes.note_reading();
            assert!(tokio::time::timeout(patience, changes.next()).await.is_err());
        }
        std::fs::remove_file(&file).unwrap();
        tokio::time::timeout(patience, changes.next()).await.unwrap();
    }
}
