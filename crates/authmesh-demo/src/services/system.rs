//! The authentication system as one: what all instances of all services share.

use super::accounts::{Accounts, account_name};
use super::counters::Counters;
use super::refresh::{RefreshTokens, Shown};
use super::sessions::{SessionId, Sessions};
use super::tokens::{Claims, Tokens};
use crate::clock::unix_seconds;
use crate::secret::Secret;
use crate::side::Side;

/// Accounts, keys, sessions and refresh tokens.
pub(crate) struct System {
    pub(super) accounts: Accounts,
    pub(crate) counters: Counters,
    tokens: Tokens,
    sessions: Sessions,
    refresh: RefreshTokens,
}

/// What a login or a refresh hands out.
pub(crate) struct Grant {
    pub(crate) access: Secret,
    pub(crate) refresh: Secret,
}

impl System {
    /// A system with an account for each of these passwords.
    pub(crate) fn new(passwords: &[Secret]) -> Self {
        Self {
            accounts: Accounts::open(passwords),
            counters: Counters::default(),
            tokens: Tokens::new(),
            sessions: Sessions::default(),
            refresh: RefreshTokens::default(),
        }
    }

    /// Begins a session for an account whose password was right.
    pub(crate) fn log_in(&self, account: usize) -> Grant {
        self.grant(account, self.sessions.begin(account))
    }

    /// Spends a refresh token for new tokens. One that was spent before ends its session: whoever
    /// of the two was the thief has nothing now.
    pub(crate) fn refresh(&self, token: &Secret, side: Option<Side>) -> Option<Grant> {
        match self.refresh.spend(token) {
            Shown::Spent(session) => {
                self.sessions.account(session).map(|account| self.grant(account, session))
            }
            Shown::Reused { session, first } => {
                self.sessions.end(session);
                if let Some(side) = side.filter(|_| first) {
                    self.counters.spent_twice(side);
                }
                None
            }
            Shown::Unknown => None,
        }
    }

    /// What an access token says, if it is good and its session is open (RFC 7662).
    pub(crate) fn introspect(&self, token: &str) -> Option<Claims> {
        let claims = self.tokens.verify(token, unix_seconds())?;
        self.sessions.account(claims.sid).map(|_| claims)
    }

    pub(crate) fn key_set(&self) -> serde_json::Value {
        self.tokens.key_set()
    }

    fn grant(&self, account: usize, session: SessionId) -> Grant {
        Grant {
            access: self.tokens.issue(&account_name(account), session, unix_seconds()),
            refresh: self.refresh.issue(session),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_token_shown_twice_ends_the_session() {
        let system = System::new(&[]);
        let first = system.log_in(0);
        let second = system.refresh(&first.refresh, Some(Side::Naive)).unwrap();
        assert!(system.introspect(second.access.expose()).is_some());

        for _ in 0..2 {
            assert!(system.refresh(&first.refresh, Some(Side::Naive)).is_none());
        }
        assert!(system.introspect(second.access.expose()).is_none());
        assert!(system.refresh(&second.refresh, Some(Side::Naive)).is_none());
        assert_eq!(system.counters.seen(Side::Naive).spent_twice, 1, "one token, however often");
        assert_eq!(system.counters.seen(Side::Mesh).spent_twice, 0);
    }
}
