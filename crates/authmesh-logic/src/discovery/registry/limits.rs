//! The bounds of a registry: how long a lease lasts, and how much is held.

use alloc::boxed::Box;
use core::time::Duration;

use super::Refusal;
use crate::discovery::{Address, Instance};

/// The shortest time to live of a lease.
pub const SHORTEST_TTL: Duration = Duration::from_secs(1);
/// The longest time to live of a lease.
pub const LONGEST_TTL: Duration = Duration::from_secs(3600);
/// The time to live where none is asked for.
pub const DEFAULT_TTL: Duration = Duration::from_secs(30);
/// How many times to live an instance stays in the view after its lease ran out ...
pub const LIMBO_TTLS: u32 = 10;
/// ... and how long at most.
pub const LONGEST_LIMBO: Duration = Duration::from_secs(3600);
/// The most addresses of an instance.
pub const MOST_ADDRESSES: usize = 8;
/// The longest zone and the longest version, in bytes.
pub const LONGEST_WORD: usize = 128;
/// The longest metadata of an instance, keys and values together, in bytes.
pub const LONGEST_METADATA: usize = 4096;

/// How much one registry holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Services.
    pub services: usize,
    /// Instances of all services.
    pub instances: usize,
    /// Bytes of zones, versions, metadata, identities and paths of sockets of all instances.
    pub text_bytes: usize,
    /// Instances about which operators have decided something.
    pub decisions: usize,
}

impl Limits {
    /// Ten thousand services, a million instances with 64 MiB of text, ten thousand decisions.
    pub const STANDARD: Self = Self {
        services: 10_000,
        instances: 1_000_000,
        text_bytes: 64 * 1024 * 1024,
        decisions: 10_000,
    };
}

/// How long an instance stays in the view after a lease of `ttl` ran out.
#[must_use]
pub fn limbo(ttl: Duration) -> Duration {
    ttl.saturating_mul(LIMBO_TTLS).min(LONGEST_LIMBO)
}

/// Holds the facts of one instance to the bounds that concern it alone.
pub(super) fn check(instance: &Instance, ttl: Duration) -> Result<(), Refusal> {
    let too_long =
        |word: &Option<Box<str>>| word.as_deref().is_some_and(|word| word.len() > LONGEST_WORD);
    if !(SHORTEST_TTL..=LONGEST_TTL).contains(&ttl) {
        Err(Refusal::TtlOutOfBounds)
    } else if instance.addresses.is_empty() {
        Err(Refusal::NoAddress)
    } else if instance.addresses.len() > MOST_ADDRESSES {
        Err(Refusal::TooManyAddresses)
    } else if too_long(&instance.zone) || too_long(&instance.version) {
        Err(Refusal::WordTooLong)
    } else if metadata_bytes(instance) > LONGEST_METADATA {
        Err(Refusal::MetadataTooLong)
    } else {
        Ok(())
    }
}

/// How much text one instance brings.
pub(super) fn text_bytes(instance: &Instance) -> usize {
    let word = |word: &Option<Box<str>>| word.as_ref().map_or(0, |word| word.len());
    let path = |address: &Address| match address {
        Address::Tcp(_) => 0,
        Address::Unix(path) => path.len(),
    };
    let paths: usize = instance.addresses.iter().map(path).sum();
    let identity = instance.identity.as_ref().map_or(0, |identity| identity.as_str().len());
    metadata_bytes(instance) + word(&instance.zone) + word(&instance.version) + paths + identity
}

fn metadata_bytes(instance: &Instance) -> usize {
    instance.metadata.iter().map(|(key, value)| key.len() + value.len()).sum()
}
