//! Why the keys of an issuer did not come.

use std::fmt;

use authmesh_logic::jwt::DiscoveryFault;

use super::key_set::KeySetFault;

/// Why the keys of an issuer did not come.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FetchFault {
    /// Nobody was reached, in the system's words.
    Unreachable(String),
    /// The server did not prove itself, in the words of TLS.
    Unproved(String),
    /// It took too long.
    Late,
    /// The answer was another than 200. Redirections are not followed: they lead elsewhere.
    Status(u16),
    /// The answer was longer than is read.
    TooLong,
    /// The answer was no HTTP, or broke off.
    Broken,
    /// The issuer's discovery document is not believed.
    Discovery(DiscoveryFault),
    /// What came is no key set.
    Keys(KeySetFault),
    /// The file cannot be read; why, as a sentence goes on.
    File(String),
}

impl FetchFault {
    /// The word in metrics.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "unreachable",
            Self::Unproved(_) => "unproved",
            Self::Late => "late",
            Self::Status(_) => "status",
            Self::TooLong => "too_long",
            Self::Broken => "broken",
            Self::Discovery(_) => "discovery",
            Self::Keys(_) => "keys",
            Self::File(_) => "file",
        }
    }
}

impl fmt::Display for FetchFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(words) => write!(formatter, "the server is not reached: {words}"),
            Self::Unproved(words) => write!(formatter, "the server does not prove itself: {words}"),
            Self::Late => formatter.write_str("the answer took too long"),
            Self::Status(status) => write!(formatter, "the answer is {status}, not 200"),
            Self::TooLong => formatter.write_str("the answer is too long"),
            Self::Broken => formatter.write_str("the answer broke off or is no HTTP"),
            Self::Discovery(fault) => formatter.write_str(fault.sentence()),
            Self::Keys(fault) => fault.fmt(formatter),
            Self::File(words) => write!(formatter, "the file {words}"),
        }
    }
}

impl std::error::Error for FetchFault {}
