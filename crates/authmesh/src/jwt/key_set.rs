//! The public keys of an issuer, read from its key set, and the judgement of a token by them.

use std::fmt;

use authmesh_logic::jwt::{Json, NumericDate, TokenClaims, TokenFault, TokenPolicy};

use super::json;
use super::key::Key;
use super::token::Opened;

/// The public keys of one issuer (RFC 7517 §5).
///
/// A key that cannot be used, or that is of an unknown kind, is passed over and does not spoil the
/// rest; a token that names it is refused for what is wrong with it. Keys without a `kid` are not
/// used, because no token can name them.
pub struct KeySet {
    keys: Vec<Key>,
}

/// Why bytes are no key set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySetFault {
    /// They are no object of JSON with a list of keys.
    Malformed,
    /// No key in it has a name. An issuer that has a bad day must not lose its keys by it.
    Empty,
    /// It has more keys than are looked at.
    TooMany,
}

impl KeySet {
    /// How many keys a set may have.
    pub const MOST_KEYS: usize = 100;

    /// Reads a key set for tokens like `policy` wants them.
    ///
    /// # Errors
    ///
    /// When it is none, or has too many keys.
    pub fn from_json(bytes: &[u8], policy: &TokenPolicy) -> Result<Self, KeySetFault> {
        let tree = json::read(bytes);
        let Some(Json::List(members)) = tree.as_ref().and_then(|tree| tree.member("keys")) else {
            return Err(KeySetFault::Malformed);
        };
        if members.len() > Self::MOST_KEYS {
            return Err(KeySetFault::TooMany);
        }
        let keys = members.iter().filter_map(|member| Key::of(member, policy)).collect();
        Ok(Self { keys })
    }

    /// Judges a token by these keys at `now`, step by step as
    /// [`authmesh_logic::jwt`] lists them.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong with it.
    pub fn verify(
        &self,
        token: &str,
        policy: &TokenPolicy,
        now: NumericDate,
    ) -> Result<TokenClaims, TokenFault> {
        Opened::of(token, policy.longest)?.claimed(policy)?.prove(self, policy, now)
    }

    /// How many keys there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The one key of this name.
    pub(super) fn find(&self, id: &str) -> Result<&Key, TokenFault> {
        let mut named = self.keys.iter().filter(|key| key.id() == id);
        match (named.next(), named.next()) {
            (Some(key), None) => Ok(key),
            (Some(_), Some(_)) => Err(TokenFault::AmbiguousKeyId),
            (None, _) => Err(TokenFault::UnknownKeyId),
        }
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.keys.iter().map(Key::id)).finish()
    }
}

impl KeySetFault {
    /// Why, as a sentence.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Malformed => "what came is no key set",
            Self::Empty => "the key set holds no key with a name",
            Self::TooMany => "the key set holds more keys than are looked at",
        }
    }
}

impl fmt::Display for KeySetFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.sentence())
    }
}

impl std::error::Error for KeySetFault {}
