//! A note for other terminals: where the running demonstration can be asked, and with which token.
//!
//! It stands in a folder of the user's own if the system gives one, otherwise under a name with the
//! user's number among the temporary files, and is believed only if it is the reader's own and
//! nobody else may write it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Where the demonstration that runs can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The door for people, `http://address:port`.
    pub admin: String,
    /// The file that holds its token.
    pub token_file: PathBuf,
}

/// A notice that is taken down with this.
pub(crate) struct Posted {
    path: PathBuf,
    notice: Notice,
}

/// The largest notice that is read, in bytes.
const MOST_BYTES: u64 = 16 * 1024;

impl Notice {
    /// The notice of the demonstration that this user runs, if one does.
    #[must_use]
    pub fn find() -> Option<Self> {
        Self::read(&place().ok()?).ok()
    }

    pub(crate) fn post(self) -> io::Result<Posted> {
        self.post_at(place()?)
    }

    /// Puts it up whole, in place of whatever an earlier demonstration left.
    fn post_at(self, path: PathBuf) -> io::Result<Posted> {
        let draft = path.with_extension(std::process::id().to_string());
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(0o600).open(&draft)?;
        let written = file.write_all(&serde_json::to_vec(&self)?);
        written.and_then(|()| fs::rename(&draft, &path)).inspect_err(|_| {
            // What is left of a notice that could not be put up helps nobody.
            drop(fs::remove_file(&draft));
        })?;
        Ok(Posted { path, notice: self })
    }

    fn read(path: &Path) -> io::Result<Self> {
        let is_link = fs::symlink_metadata(path)?.is_symlink();
        let file = File::open(path)?;
        let facts = file.metadata()?;
        let is_ours = facts.uid() == our_uid()? && facts.mode() & 0o022 == 0;
        if is_link || !facts.is_file() || !is_ours {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let mut text = Vec::new();
        file.take(MOST_BYTES).read_to_end(&mut text)?;
        Ok(serde_json::from_slice(&text)?)
    }
}

impl Drop for Posted {
    fn drop(&mut self) {
        // A later demonstration may have put its own in this place.
        if Notice::read(&self.path).is_ok_and(|found| found == self.notice) {
            drop(fs::remove_file(&self.path));
        }
    }
}

fn place() -> io::Result<PathBuf> {
    match std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from) {
        Some(folder) if folder.is_dir() => Ok(folder.join("authmesh-demo.json")),
        _ => Ok(std::env::temp_dir().join(format!("authmesh-demo-{}.json", our_uid()?))),
    }
}

/// The number of the user this process belongs to.
fn our_uid() -> io::Result<u32> {
    Ok(fs::metadata("/proc/self")?.uid())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn notice(port: u16) -> Notice {
        let admin = format!("http://127.0.0.1:{port}");
        Notice { admin, token_file: PathBuf::from("/tmp/token") }
    }

    #[test]
    fn a_notice_is_found_until_it_is_taken_down() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notice.json");
        let posted = notice(1).post_at(path.clone()).unwrap();
        assert_eq!(Notice::read(&path).unwrap(), notice(1));
        let later = notice(2).post_at(path.clone()).unwrap();
        drop(posted);
        assert_eq!(Notice::read(&path).unwrap(), notice(2), "it belongs to the later one");
        drop(later);
        assert!(Notice::read(&path).is_err());
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    }

    #[test]
    fn a_notice_that_others_may_write_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notice.json");
        let _posted = notice(1).post_at(path.clone()).unwrap();
        let link = folder.path().join("link.json");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(Notice::read(&link).is_err());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o622)).unwrap();
        assert!(Notice::read(&path).is_err());
    }
}
