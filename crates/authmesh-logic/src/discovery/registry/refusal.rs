//! Why a registry says no.

use core::fmt;

use super::limits::{LONGEST_METADATA, LONGEST_TTL, LONGEST_WORD, MOST_ADDRESSES, SHORTEST_TTL};

/// Why a registry says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody of that name is registered; who wants to be, registers again.
    Unknown,
    /// The lease was replaced: the instance has registered again since.
    LeaseLost,
    /// Somebody else registered the instance.
    NotYours,
    /// A later life of the instance is registered.
    OlderIncarnation {
        /// Which.
        registered: u64,
    },
    /// The time to live is not within [`SHORTEST_TTL`]`..=`[`LONGEST_TTL`].
    TtlOutOfBounds,
    /// No address.
    NoAddress,
    /// More than [`MOST_ADDRESSES`] addresses.
    TooManyAddresses,
    /// Zone or version is longer than [`LONGEST_WORD`].
    WordTooLong,
    /// The metadata is longer than [`LONGEST_METADATA`].
    MetadataTooLong,
    /// The registry holds as many services as it may.
    TooManyServices,
    /// The registry holds as many instances as it may.
    TooManyInstances,
    /// The texts of all instances together are as long as they may be.
    TooMuchText,
    /// The registry holds as many decisions of operators as it may.
    TooManyDecisions,
}

impl Refusal {
    /// Whether the registry is full, and not the request at fault.
    #[must_use]
    pub const fn is_shortage(self) -> bool {
        matches!(
            self,
            Self::TooManyServices
                | Self::TooManyInstances
                | Self::TooMuchText
                | Self::TooManyDecisions
        )
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => formatter.write_str("no such instance is registered"),
            Self::LeaseLost => formatter.write_str("the instance has registered again since"),
            Self::NotYours => formatter.write_str("somebody else registered the instance"),
            Self::OlderIncarnation { registered } => {
                write!(formatter, "incarnation {registered} is registered, which is later")
            }
            Self::TtlOutOfBounds => write!(
                formatter,
                "the time to live must be from {} s to {} s",
                SHORTEST_TTL.as_secs(),
                LONGEST_TTL.as_secs()
            ),
            Self::NoAddress => formatter.write_str("an instance needs an address"),
            Self::TooManyAddresses => {
                write!(formatter, "an instance has at most {MOST_ADDRESSES} addresses")
            }
            Self::WordTooLong => {
                write!(formatter, "zone and version have at most {LONGEST_WORD} bytes each")
            }
            Self::MetadataTooLong => {
                write!(
                    formatter,
                    "the metadata of an instance has at most {LONGEST_METADATA} bytes"
                )
            }
            Self::TooManyServices => formatter.write_str("the registry is full of services"),
            Self::TooManyInstances => formatter.write_str("the registry is full of instances"),
            Self::TooMuchText => {
                formatter.write_str("the registry is full of metadata and other texts")
            }
            Self::TooManyDecisions => {
                formatter.write_str("the registry is full of decisions: lift some")
            }
        }
    }
}

impl core::error::Error for Refusal {}
