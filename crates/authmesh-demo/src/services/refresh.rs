//! Refresh tokens: each is good once; one shown a second time gives the thief away (RFC 9700 §4.14).

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use super::sessions::SessionId;
use crate::secret::{Fingerprint, Secret};

/// Every refresh token that was issued, by fingerprint.
#[derive(Default)]
pub(crate) struct RefreshTokens {
    held: Mutex<Held>,
}

/// What became of a token somebody showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// It was good, and is spent now.
    Spent(SessionId),
    /// It was spent before: its session must end. `first` if nobody did this to it before.
    Reused {
        /// The session the token belongs to.
        session: SessionId,
        /// Whether this is the first time it is shown again.
        first: bool,
    },
    /// Nobody issued it.
    Unknown,
}

#[derive(Default)]
struct Held {
    tokens: HashMap<Fingerprint, Token>,
    /// In the order they were issued; the oldest gives way when the store is full.
    order: VecDeque<Fingerprint>,
}

struct Token {
    session: SessionId,
    times_shown: u32,
}

/// The most tokens that are remembered.
const TOKENS_MOST: usize = 100_000;

impl RefreshTokens {
    /// A new token for a session.
    pub(crate) fn issue(&self, session: SessionId) -> Secret {
        let token = Secret::random();
        let fingerprint = token.fingerprint();
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.tokens.insert(fingerprint, Token { session, times_shown: 0 });
        held.order.push_back(fingerprint);
        if held.order.len() > TOKENS_MOST
            && let Some(oldest) = held.order.pop_front()
        {
            held.tokens.remove(&oldest);
        }
        token
    }

    /// Spends a token.
    pub(crate) fn spend(&self, token: &Secret) -> Shown {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(token) = held.tokens.get_mut(&token.fingerprint()) else { return Shown::Unknown };
        token.times_shown = token.times_shown.saturating_add(1);
        match token.times_shown {
            1 => Shown::Spent(token.session),
            times => Shown::Reused { session: token.session, first: times == 2 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_once() {
        let tokens = RefreshTokens::default();
        let session = SessionId(1);
        let token = tokens.issue(session);
        assert_eq!(tokens.spend(&token), Shown::Spent(session));
        assert_eq!(tokens.spend(&token), Shown::Reused { session, first: true });
        assert_eq!(tokens.spend(&token), Shown::Reused { session, first: false });
        assert_eq!(tokens.spend(&Secret::random()), Shown::Unknown);
    }

    #[test]
    fn the_store_is_bounded() {
        let tokens = RefreshTokens::default();
        let first = tokens.issue(SessionId(0));
        for _ in 0..TOKENS_MOST {
            tokens.issue(SessionId(0));
        }
        assert_eq!(tokens.spend(&first), Shown::Unknown);
    }
}
