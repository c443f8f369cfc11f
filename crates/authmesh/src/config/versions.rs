//! Keeps the configurations that were in force on disk: the last good one and a few before it.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{Files, Loaded, Problems, parse_in};

/// The most versions that are kept.
pub const MOST_VERSIONS: usize = 10;

/// The configurations that were in force, oldest first; at most [`MOST_VERSIONS`].
///
/// Each is a whole file without includes, as [`Loaded::to_toml`] writes it: it has references to
/// secrets and no secret. A folder has files of mode 0600 and is itself 0700; the newest version is
/// there once more as `last-good.toml`. What cannot be written is still kept in memory.
#[derive(Debug)]
pub struct Versions {
    folder: Option<PathBuf>,
    kept: Vec<Version>,
}

/// A configuration that was in force.
#[derive(Clone, Debug)]
pub struct Version {
    /// Counts up from 1.
    pub number: u64,
    /// When it came into force.
    pub at: SystemTime,
    /// Why: `start`, `reload`, or who put it there.
    pub cause: String,
    /// The whole of it.
    pub text: String,
}

/// The name of the file that holds the newest version.
const LAST_GOOD: &str = "last-good.toml";

/// How the first line of a version's file begins.
const HEAD: &str = "# authmesh version ";

/// How long a cause may be, in characters.
const LONGEST_CAUSE: usize = 200;

/// The largest file that is read back, in bytes: a configuration with its origins.
const LARGEST_FILE: u64 = 16 * 1024 * 1024;

impl Versions {
    /// The versions kept in `folder`, which is made at the first one. Files that are none are left
    /// alone.
    #[must_use]
    pub fn open(folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into();
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        let mut kept: Vec<Version> =
            entries.filter_map(|entry| Version::read(&entry.path())).collect();
        kept.sort_by_key(|version| version.number);
        Self { folder: Some(folder), kept }
    }

    /// Versions in memory only.
    #[must_use]
    pub const fn in_memory() -> Self {
        Self { folder: None, kept: Vec::new() }
    }

    /// The newest version.
    #[must_use]
    pub fn last(&self) -> Option<&Version> {
        self.kept.last()
    }

    /// Every version, oldest first.
    pub fn iter(&self) -> std::slice::Iter<'_, Version> {
        self.kept.iter()
    }

    /// The version of this number.
    #[must_use]
    pub fn find(&self, number: u64) -> Option<&Version> {
        self.kept.iter().find(|version| version.number == number)
    }

    /// Keeps a configuration that has come into force `at`, unless it is the newest already.
    /// Returns its number.
    ///
    /// # Errors
    /// When it could not be written; it is kept in memory even so, and the number is that of
    /// [`Self::last`].
    pub fn keep(&mut self, loaded: &Loaded, cause: &str, at: SystemTime) -> io::Result<u64> {
        if let Some(last) = self.last()
            && let Ok(known) = last.load(Path::new(""), Files::Trust)
            && loaded.changes_from(&known.settings).is_empty()
        {
            return Ok(last.number);
        }
        let number = self.last().map_or(1, |last| last.number + 1);
        let cause: String =
            cause.chars().filter(|char| !char.is_control()).take(LONGEST_CAUSE).collect();
        let version = Version { number, at, cause, text: loaded.to_toml() };
        let written = self.folder.as_deref().map_or(Ok(()), |folder| version.write(folder));
        self.kept.push(version);
        while self.kept.len() > MOST_VERSIONS {
            let oldest = self.kept.remove(0);
            if let Some(folder) = &self.folder {
                // One that stays behind is found and removed after the next start.
                let _ = fs::remove_file(folder.join(oldest.file_name()));
            }
        }
        written.map(|()| number)
    }
}

impl<'a> IntoIterator for &'a Versions {
    type Item = &'a Version;
    type IntoIter = std::slice::Iter<'a, Version>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Version {
    /// Reads what it says, with relative paths taken from `folder`, and a look at the files it
    /// speaks of if asked.
    ///
    /// # Errors
    /// What is wrong with it: a later program may understand less.
    pub fn load(&self, folder: &Path, files: Files) -> Result<Loaded, Problems> {
        parse_in(&self.text, &format!("version {}", self.number), folder, files)
    }

    /// The newest version in a folder, by its own file.
    #[must_use]
    pub fn last_good(folder: &Path) -> Option<Self> {
        Self::parse(&read(&folder.join(LAST_GOOD))?)
    }

    fn file_name(&self) -> String {
        format!("version-{}.toml", self.number)
    }

    fn read(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let version = name.starts_with("version-").then(|| read(path)).flatten()?;
        Self::parse(&version).filter(|version| version.file_name() == name)
    }

    /// `# authmesh version 3 at 1764000000: reload`, then the configuration.
    fn parse(file: &str) -> Option<Self> {
        let (head, text) = file.split_once('\n')?;
        let (number, rest) = head.strip_prefix(HEAD)?.split_once(" at ")?;
        let (at, cause) = rest.split_once(": ")?;
        let at = UNIX_EPOCH.checked_add(Duration::from_secs(at.parse().ok()?))?;
        Some(Self { number: number.parse().ok()?, at, cause: cause.into(), text: text.into() })
    }

    fn write(&self, folder: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let at = self.at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let file = format!("{HEAD}{} at {at}: {}\n{}", self.number, self.cause, self.text);
        for name in [self.file_name(), LAST_GOOD.to_owned()] {
            replace(folder, &name, file.as_bytes())?;
        }
        File::open(folder)?.sync_all()
    }
}

/// Puts a file in place whole: whoever reads sees the old or the new one.
fn replace(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let new = folder.join(format!("{name}.new"));
    // One left behind by a crash may have another mode.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, folder.join(name))
}

fn read(path: &Path) -> Option<String> {
    let facts = path.symlink_metadata().ok()?;
    let is_plain = facts.is_file() && facts.len() <= LARGEST_FILE;
    is_plain.then(|| fs::read_to_string(path).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::config::parse;

    fn loaded(body: usize) -> Loaded {
        parse(&format!("version = 1\n[limits]\nbody = {body}\n"), "mesh.toml").unwrap()
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn versions_survive_a_restart_and_only_the_last_few_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("state");
        let at = UNIX_EPOCH + Duration::from_secs(1_764_000_000);
        let mut versions = Versions::open(&folder);
        for body in 1..=12 {
            assert_eq!(versions.keep(&loaded(body), "reload", at).unwrap(), body as u64);
        }
        assert_eq!(versions.keep(&loaded(12), "reload", at).unwrap(), 12, "no change, no version");
        let again = Versions::open(&folder);
        let numbers: Vec<u64> = again.iter().map(|version| version.number).collect();
        assert_eq!(numbers, (3..=12).collect::<Vec<u64>>());
        assert_eq!(names(&folder).len(), MOST_VERSIONS + 1);
        let last = again.last().unwrap();
        assert_eq!((last.at, last.cause.as_str()), (at, "reload"));
        assert_eq!(last.load(&folder, Files::Trust).unwrap().config, loaded(12).config);
        assert_eq!(Version::last_good(&folder).unwrap().text, last.text);
        for name in names(&folder) {
            let mode = folder.join(name).metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn what_is_no_version_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("version-1.toml", "version = 1\n"),
            ("version-2.toml", "# authmesh version 3 at 0: x\nversion = 1\n"),
            ("other", "# authmesh version 4 at 0: x\nversion = 1\n"),
            ("version-5.toml.new", "# authmesh version 5 at 0: x\n"),
        ] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let mut versions = Versions::open(folder.path());
        assert!(versions.last().is_none());
        versions.keep(&loaded(1), "start", UNIX_EPOCH).unwrap();
        assert!(names(folder.path()).contains(&"other".to_owned()));
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_told_and_memory_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let blocked = folder.path().join("file");
        fs::write(&blocked, "").unwrap();
        let mut versions = Versions::open(&blocked);
        assert!(versions.keep(&loaded(1), "start", UNIX_EPOCH).is_err());
        assert_eq!(versions.last().map(|version| version.number), Some(1));
        let mut memory = Versions::in_memory();
        assert_eq!(memory.keep(&loaded(1), "a\nb", UNIX_EPOCH).unwrap(), 1);
        assert_eq!(memory.find(1).unwrap().cause, "ab");
        assert!(memory.find(2).is_none());
    }
}
