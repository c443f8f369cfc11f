//! The keys of an issuer that are in use, as one value.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use authmesh_logic::Moment;
use authmesh_logic::jwt::{Provider, TokenPolicy};

use super::key_set::{KeySet, KeySetFault};

/// The keys of an issuer that are in use.
pub(super) struct Held {
    pub(super) keys: KeySet,
    /// The set as it came.
    pub(super) document: Arc<str>,
    /// Until when they may be used.
    pub(super) usable_until: Moment,
    /// A number that no other keys of this process have: what was believed by others is judged anew.
    pub(super) edition: u64,
}

impl Held {
    pub(super) fn of(
        document: Arc<str>,
        policy: &TokenPolicy,
        usable_until: Moment,
    ) -> Result<Self, KeySetFault> {
        let keys = KeySet::from_json(document.as_bytes(), policy)?;
        if keys.is_empty() {
            return Err(KeySetFault::Empty);
        }
        Ok(Self { keys, document, usable_until, edition: next_edition() })
    }

    /// The same keys as another provider's settings use them.
    pub(super) fn succeeding(&self, provider: &Provider, usable_until: Moment) -> Option<Self> {
        Self::of(Arc::clone(&self.document), &provider.tokens, usable_until).ok()
    }

    pub(super) fn are_usable(&self, now: Moment) -> bool {
        now < self.usable_until
    }
}

/// A number that was not given before.
pub(super) fn next_edition() -> u64 {
    static EDITIONS: AtomicU64 = AtomicU64::new(1);
    EDITIONS.fetch_add(1, Ordering::Relaxed)
}
