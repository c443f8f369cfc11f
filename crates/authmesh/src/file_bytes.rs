//! Reads small files whole: up to a bound, and into memory that is wiped.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use zeroize::Zeroizing;

/// Why a file was not read.
#[derive(Debug)]
pub(crate) enum FileFault {
    /// Others than its owner may read, write or run it; its mode.
    UsableByOthers(u32),
    /// It is longer than allowed.
    TooLong,
    /// It is no file, or the system does not let it be read.
    Unreadable(io::Error),
}

/// The bytes of the file at `path`, at most `longest`. `only_owner` refuses one that others may
/// use.
pub(crate) fn read_bounded(
    path: &Path,
    longest: u64,
    only_owner: bool,
) -> Result<Zeroizing<Vec<u8>>, FileFault> {
    // Opening a pipe would wait for its other end.
    if !path.metadata().map_err(FileFault::Unreadable)?.is_file() {
        let error = io::Error::new(io::ErrorKind::InvalidInput, "it is not a file");
        return Err(FileFault::Unreadable(error));
    }
    let file = File::open(path).map_err(FileFault::Unreadable)?;
    let facts = file.metadata().map_err(FileFault::Unreadable)?;
    let mode = facts.permissions().mode() & 0o7777;
    if only_owner && mode & 0o077 != 0 {
        return Err(FileFault::UsableByOthers(mode));
    }
    if facts.len() > longest {
        return Err(FileFault::TooLong);
    }
    // Room for all of it at once: what grows leaves copies behind.
    let mut bytes = Zeroizing::new(vec![0; usize::try_from(facts.len()).unwrap_or(0) + 1]);
    let mut length = 0;
    while length < bytes.len() {
        match (&file).read(&mut bytes[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(FileFault::Unreadable(error)),
        }
    }
    if length as u64 > facts.len() {
        let error = io::Error::other("it grew while it was read");
        return Err(FileFault::Unreadable(error));
    }
    bytes.truncate(length);
    Ok(bytes)
}
