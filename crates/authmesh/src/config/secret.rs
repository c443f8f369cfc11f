//! A secret: fetched from where the configuration says, never printed, wiped when dropped.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::{env, fmt, hint};

use authmesh_logic::config::{Code, SecretReference};
use zeroize::Zeroizing;

use crate::file_bytes::{FileFault, read_bounded};

/// A secret. It can be neither printed, copied nor serialised, and its memory is wiped on drop.
///
/// ```compile_fail
/// fn shown(secret: &authmesh::config::Secret) -> String { format!("{secret:?}") }
/// ```
/// ```compile_fail
/// fn copied(secret: &authmesh::config::Secret) -> authmesh::config::Secret { secret.clone() }
/// ```
pub struct Secret(Zeroizing<Vec<u8>>);

/// Why a secret could not be fetched. It never holds the secret.
#[derive(Debug)]
pub enum SecretError {
    /// The environment variable, or `$CREDENTIALS_DIRECTORY`, is not set.
    Unset,
    /// There is nothing in it.
    Empty,
    /// Others than its owner may read, write or run the file; its mode.
    ReadableByOthers(u32),
    /// It is longer than [`Secret::LONGEST`].
    TooLong,
    /// The file could not be read.
    Unreadable(io::Error),
}

impl Secret {
    /// The longest secret, in bytes.
    pub const LONGEST: u64 = 64 * 1024;

    /// Fetches a secret. One line break at its end is cut off.
    ///
    /// # Errors
    /// Says why there is none; a file that others may read is refused.
    pub fn fetch(reference: &SecretReference) -> Result<Self, SecretError> {
        let bytes = match reference {
            SecretReference::File(path) => read(Path::new(&**path), true)?,
            SecretReference::Environment(name) => {
                let value = env::var_os(&**name).ok_or(SecretError::Unset)?;
                Zeroizing::new(value.into_vec())
            }
            SecretReference::Credential(name) => {
                credential(env::var_os("CREDENTIALS_DIRECTORY"), name)?
            }
        };
        Self::from_bytes(bytes)
    }

    /// The secret itself.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Whether `presented` is the secret. How long this takes depends on the length of `presented`
    /// alone.
    #[must_use]
    pub fn matches(&self, presented: &[u8]) -> bool {
        let mut difference = u8::from(self.0.len() != presented.len());
        for (index, byte) in presented.iter().enumerate() {
            // The secret is never empty.
            difference |= hint::black_box(byte ^ self.0[index % self.0.len()]);
        }
        hint::black_box(difference) == 0
    }

    fn from_bytes(mut bytes: Zeroizing<Vec<u8>>) -> Result<Self, SecretError> {
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
            if bytes.last() == Some(&b'\r') {
                bytes.pop();
            }
        }
        if bytes.is_empty() { Err(SecretError::Empty) } else { Ok(Self(bytes)) }
    }
}

impl SecretError {
    /// The code of the problem it is in a configuration.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Unset => Code::VariableUnset,
            Self::Empty | Self::TooLong => Code::SecretEmpty,
            Self::ReadableByOthers(_) => Code::SecretReadable,
            Self::Unreadable(_) => Code::NoSuchFile,
        }
    }
}

impl fmt::Display for SecretError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unset => formatter.write_str("the variable of a secret is not set"),
            Self::Empty => formatter.write_str("a secret is empty"),
            Self::ReadableByOthers(mode) => {
                write!(formatter, "others than its owner can read a secret (mode {mode:04o})")
            }
            Self::TooLong => write!(formatter, "a secret is longer than {} bytes", Secret::LONGEST),
            Self::Unreadable(error) => write!(formatter, "a secret cannot be read: {error}"),
        }
    }
}

impl std::error::Error for SecretError {}

/// Reads a credential of systemd, which guards the folder itself and sets the group's bits for its
/// access list.
fn credential(folder: Option<OsString>, name: &str) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    let folder = folder.ok_or(SecretError::Unset)?;
    read(&Path::new(&folder).join(name), false)
}

/// Reads a file into memory that is wiped. `only_owner` refuses one that others may use.
fn read(path: &Path, only_owner: bool) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    read_bounded(path, Secret::LONGEST, only_owner).map_err(|fault| match fault {
        FileFault::UsableByOthers(mode) => SecretError::ReadableByOthers(mode),
        FileFault::TooLong => SecretError::TooLong,
        FileFault::Unreadable(error) => SecretError::Unreadable(error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    fn file(mode: u32, text: &str) -> (tempfile::TempDir, SecretReference) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let reference = SecretReference::File(path.to_str().unwrap().into());
        (folder, reference)
    }

    #[test]
    fn a_file_of_its_owner_is_read_less_one_line_break() {
        for (text, wanted) in
            [("abc", "abc"), ("abc\n", "abc"), ("abc\r\n", "abc"), ("abc\n\n", "abc\n")]
        {
            let (_folder, reference) = file(0o600, text);
            let secret = Secret::fetch(&reference).ok().unwrap();
            assert_eq!(secret.expose(), wanted.as_bytes());
            assert!(secret.matches(wanted.as_bytes()));
            for other in ["", "ab", "abd", "abcabc", "abcd"] {
                assert!(!secret.matches(other.as_bytes()), "{other}");
            }
        }
    }

    #[test]
    fn a_variable_and_a_credential_are_read_as_well() {
        let path = Secret::fetch(&SecretReference::Environment("PATH".into())).ok().unwrap();
        assert_eq!(Some(OsString::from_vec(path.expose().to_vec())), env::var_os("PATH"));
        let (folder, _) = file(0o440, "abc\n");
        let bytes = credential(Some(folder.path().into()), "secret").unwrap();
        assert_eq!(&**bytes, b"abc\n");
        assert!(matches!(credential(None, "secret"), Err(SecretError::Unset)));
    }

    #[test]
    fn each_fault_has_its_code() {
        for (mode, text, code) in [
            (0o640, "abc", Code::SecretReadable),
            (0o604, "abc", Code::SecretReadable),
            (0o620, "abc", Code::SecretReadable),
            (0o600, "", Code::SecretEmpty),
            (0o600, "\n", Code::SecretEmpty),
        ] {
            let (_folder, reference) = file(mode, text);
            assert_eq!(Secret::fetch(&reference).err().unwrap().code(), code, "{mode:o} {text:?}");
        }
        let unset = SecretReference::Environment("AUTHMESH_NO_SUCH_VARIABLE".into());
        assert_eq!(Secret::fetch(&unset).err().unwrap().code(), Code::VariableUnset);
        let nowhere = SecretReference::File("/nowhere/at/all".into());
        assert_eq!(Secret::fetch(&nowhere).err().unwrap().code(), Code::NoSuchFile);
        let long = "x".repeat(Secret::LONGEST as usize + 1);
        let (_folder, reference) = file(0o600, &long);
        assert!(matches!(Secret::fetch(&reference), Err(SecretError::TooLong)));
    }
}
