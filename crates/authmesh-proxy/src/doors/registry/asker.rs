//! Who asks at the door, and what that one may, by the rule in force at the time it is looked at.

use std::sync::Arc;

use arc_swap::ArcSwap;
use authmesh::discovery::{Registrant, Registrants, Wish};

/// Who asks, for as long as an answer takes: the rule may change meanwhile.
pub(super) struct Asker {
    pub(super) who: Registrant,
    pub(super) registrants: Arc<ArcSwap<Registrants>>,
    /// The user the mesh runs as.
    pub(super) own_user: u32,
}

impl Asker {
    /// Whether the rule in force lets it.
    pub(super) fn may(&self, wish: Wish<'_>) -> bool {
        self.registrants.load().allow(&self.who, wish, self.own_user)
    }
}
