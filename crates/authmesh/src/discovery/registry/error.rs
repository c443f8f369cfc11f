//! What can go wrong with a registry.

use std::error::Error;
use std::path::PathBuf;
use std::{fmt, io};

use authmesh_logic::discovery::registry::Refusal;

/// What can go wrong with a registry.
#[derive(Debug)]
#[non_exhaustive]
pub enum RegistryError {
    /// It said no.
    Refused(Refusal),
    /// There is no tokio runtime here, and a registration needs one to be renewed on.
    NoRuntime,
    /// Another process, or another registry of this one, keeps its records in this directory.
    InUse {
        /// The directory.
        directory: PathBuf,
    },
    /// The records cannot be read or written.
    Storage {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        fault: io::Error,
    },
    /// The records were read and make no sense; nothing was changed.
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Where and why, in a sentence.
        reason: String,
    },
}

impl From<Refusal> for RegistryError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl fmt::Display for RegistryError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(formatter),
            Self::NoRuntime => {
                formatter.write_str("a registration is renewed on a tokio runtime; there is none")
            }
            Self::InUse { directory } => {
                write!(
                    formatter,
                    "{}: another registry keeps its records here",
                    directory.display()
                )
            }
            Self::Storage { path, fault } => write!(formatter, "{}: {fault}", path.display()),
            Self::Corrupt { path, reason } => write!(
                formatter,
                "{}: {reason}; mend the file, or move it away to begin with an empty registry",
                path.display()
            ),
        }
    }
}

impl Error for RegistryError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::Storage { fault, .. } => Some(fault),
            Self::NoRuntime | Self::InUse { .. } | Self::Corrupt { .. } => None,
        }
    }
}
