//! Keeps the keys that came last on disk, so that a start does not depend on their issuer.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use authmesh_logic::jwt::{KeySource, Provider};
use serde::{Deserialize, Serialize};

use crate::file_bytes::read_bounded;

/// A key set that came, as it lies on disk.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    /// Whose it is: a copy that another provider left is none.
    issuer: String,
    /// Where it came from, and by whose word: keys from elsewhere are those that were left.
    source: KeptSource,
    /// The file of the authorities that proved it, if it was not those of the system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ca: Option<String>,
    /// When it came, in seconds since 1970.
    came: u64,
    /// The set as it came.
    keys: String,
}

#[derive(PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KeptSource {
    Discovery,
    Url(String),
    File(String),
}

/// The longest copy that is read, in bytes.
const LONGEST_COPY: u64 = 1024 * 1024;

/// What the copy at `path` holds of `provider`, and how old it is at `now`. Nothing if it is absent or
/// damaged, another issuer's, from another source, from the future, or writable by others, who could
/// then issue tokens.
pub(super) fn read(
    path: &Path,
    provider: &Provider,
    now: SystemTime,
) -> Option<(String, Duration)> {
    let bytes = read_bounded(path, LONGEST_COPY, true).ok()?;
    let kept: Kept = serde_json::from_slice(&bytes).ok()?;
    if !kept.is_of(provider) {
        return None;
    }
    let came = UNIX_EPOCH.checked_add(Duration::from_secs(kept.came))?;
    let age = now.duration_since(came).ok()?;
    Some((kept.keys, age))
}

/// Replaces the copy at `path`: whole or not at all, and closed to others.
pub(super) fn write(
    path: &Path,
    provider: &Provider,
    keys: &str,
    now: SystemTime,
) -> io::Result<()> {
    let kept = Kept {
        issuer: provider.tokens.issuer.to_string(),
        source: KeptSource::of(provider),
        ca: provider.authorities.as_deref().map(str::to_owned),
        came: now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
        keys: keys.to_owned(),
    };
    let bytes = serde_json::to_vec(&kept)?;
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    // Made anew, so that its mode is ours.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

impl Kept {
    /// Whether its keys are this provider's, as [`Provider::has_keys_of`] has it.
    fn is_of(&self, provider: &Provider) -> bool {
        *self.issuer == *provider.tokens.issuer
            && self.source == KeptSource::of(provider)
            && self.ca.as_deref() == provider.authorities.as_deref()
    }
}

impl KeptSource {
    fn of(provider: &Provider) -> Self {
        match &provider.keys {
            KeySource::Discovery => Self::Discovery,
            KeySource::Url(url) => Self::Url(url.to_string()),
            KeySource::File(path) => Self::File(path.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use authmesh_logic::jwt::TokenPolicy;

    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn of(issuer: &str) -> Provider {
        Provider::new("corp", TokenPolicy::new(issuer, &[]), KeySource::Discovery)
    }

    #[test]
    fn a_copy_is_read_back_by_its_issuer_alone_and_says_how_old_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        let idp = of("https://idp");
        assert!(read(&path, &idp, at(100)).is_none());
        write(&path, &idp, "{}", at(90)).unwrap();
        write(&path, &idp, "{\"keys\":[]}", at(100)).unwrap();
        let wanted = Some(("{\"keys\":[]}".to_owned(), Duration::from_secs(7)));
        assert_eq!(read(&path, &idp, at(107)), wanted);
        assert_eq!(read(&path, &of("https://evil"), at(107)), None);
        assert_eq!(read(&path, &idp, at(99)), None, "from the future");
        let beyond = r#"{"issuer":"https://idp","source":"discovery","came":18446744073709551615,"keys":"{}"}"#;
        fs::write(&path, beyond).unwrap();
        assert_eq!(read(&path, &idp, at(107)), None, "from no time at all");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o622)).unwrap();
        assert_eq!(read(&path, &idp, at(107)), None, "others could have written it");
    }
}
