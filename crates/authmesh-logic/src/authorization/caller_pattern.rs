//! Who calls, as a clause names it.

use super::covers::Covers;
use super::selection::selects_nothing;
use super::{Action, AddressBlock, Inquiry, Miss, Principal, Selection, TextPattern};

/// Who calls. All its aspects must hold; with none of them it means anyone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallerPattern {
    /// By the identity that the connection proved.
    pub principals: Selection<Principal>,
    /// By the principal of a verified token, `issuer/subject`.
    pub token_principals: Selection<TextPattern>,
    /// By the address at the other end of the connection.
    pub peers: Selection<AddressBlock>,
    /// By the address of the client, as far as trusted proxies vouch for it.
    pub clients: Selection<AddressBlock>,
}

impl CallerPattern {
    /// Whether it means anyone.
    #[must_use]
    pub const fn is_anyone(&self) -> bool {
        self.principals.asks_nothing()
            && self.token_principals.asks_nothing()
            && self.peers.asks_nothing()
            && self.clients.asks_nothing()
    }

    /// What is in the way of this caller; nothing if the pattern means it. Identity comes last, so
    /// that its absence is the answer only where it alone is wanting.
    pub(super) fn miss(&self, action: Action, inquiry: &Inquiry<'_>) -> Option<Miss> {
        if !self.peers.holds(action, inquiry.peer, AddressBlock::contains) {
            return Some(Miss::Peer);
        }
        if !self.clients.holds(action, inquiry.client, AddressBlock::contains) {
            return Some(Miss::Client);
        }
        let token = inquiry.token;
        if !self.token_principals.holds(action, token, |pattern, claims| {
            pattern.matches_pair(claims.issuer(), claims.subject())
        }) {
            return Some(if token.is_some() { Miss::Token } else { Miss::TokenMissing });
        }
        if !self.principals.holds(action, inquiry.identity, Principal::matches) {
            let is_proved = inquiry.identity.is_some();
            return Some(if is_proved { Miss::Identity } else { Miss::IdentityMissing });
        }
        None
    }

    /// Whether it means this caller, if a token said what it must.
    pub(super) fn holds_whatever_the_token(&self, action: Action, inquiry: &Inquiry<'_>) -> bool {
        self.peers.holds(action, inquiry.peer, AddressBlock::contains)
            && self.clients.holds(action, inquiry.client, AddressBlock::contains)
            && self.principals.holds(action, inquiry.identity, Principal::matches)
    }

    /// Whether nobody can be meant.
    pub(super) fn contradicts_itself(&self) -> bool {
        selects_nothing(&self.principals)
            || selects_nothing(&self.token_principals)
            || selects_nothing(&self.peers)
            || selects_nothing(&self.clients)
    }
}

impl Covers for CallerPattern {
    fn covers(&self, other: &Self) -> bool {
        self.principals.covers(&other.principals)
            && self.token_principals.covers(&other.token_principals)
            && self.peers.covers(&other.peers)
            && self.clients.covers(&other.clients)
    }
}
