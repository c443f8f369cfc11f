//! Remembers, for each thread, which tokens were believed lately, so that each is verified once.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use authmesh_logic::jwt::TokenClaims;
use aws_lc_rs::digest::{SHA256, digest};

/// A token by its hash; what collides with it cannot be made.
pub(super) type TokenHash = [u8; 32];

/// A token that was believed.
#[derive(Clone)]
pub(super) struct Remembered {
    /// Whose providers judged it.
    pub(super) verifier: u64,
    /// Its provider, by place.
    pub(super) place: usize,
    /// The edition of the keys that proved it.
    pub(super) edition: u64,
    pub(super) claims: Arc<TokenClaims>,
}

/// How many tokens a thread remembers at most; half of them at least are those used last.
const MOST_REMEMBERED: usize = 1_024;

thread_local! {
    static BELIEVED: RefCell<Memory> = RefCell::default();
}

/// Two halves: the young one fills up, then takes the place of the old one, which is forgotten.
#[derive(Default)]
struct Memory {
    young: HashMap<TokenHash, Remembered>,
    old: HashMap<TokenHash, Remembered>,
}

/// The hash a token is remembered by.
pub(super) fn hash_of(token: &str) -> TokenHash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    hash
}

/// What this thread remembers of a token.
pub(super) fn recall(hash: &TokenHash) -> Option<Remembered> {
    BELIEVED.with_borrow_mut(|memory| memory.recall(hash))
}

/// Lets this thread remember a token.
pub(super) fn remember(hash: TokenHash, token: Remembered) {
    BELIEVED.with_borrow_mut(|memory| memory.remember(hash, token));
}

impl Memory {
    fn recall(&mut self, hash: &TokenHash) -> Option<Remembered> {
        if let Some(token) = self.young.get(hash) {
            return Some(token.clone());
        }
        let token = self.old.remove(hash)?;
        self.remember(*hash, token.clone());
        Some(token)
    }

    fn remember(&mut self, hash: TokenHash, token: Remembered) {
        if self.young.len() >= MOST_REMEMBERED / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(hash, token);
    }
}

#[cfg(test)]
mod tests {
    use authmesh_logic::jwt::{Json, NumericDate, TokenPolicy, judge_claims};

    use super::*;

    #[test]
    fn what_is_used_stays_and_the_rest_is_forgotten_in_time() {
        let text = r#"{"iss":"i","aud":"a","sub":"s","exp":9}"#;
        let payload: Json = crate::jwt::json::read(text.as_bytes()).unwrap();
        let policy = TokenPolicy::new("i", &["a"]);
        let now = NumericDate::since_1970(std::time::Duration::ZERO);
        let claims = Arc::new(judge_claims(payload, &policy, now).unwrap());
        let token = Remembered { verifier: 1, place: 0, edition: 1, claims };
        let hash = |number: usize| hash_of(&number.to_string());
        let mut memory = Memory::default();
        for number in 0..10_000 {
            memory.remember(hash(number), token.clone());
            assert!(memory.recall(&hash(0)).is_some(), "used again and again");
            assert!(memory.young.len() + memory.old.len() <= MOST_REMEMBERED);
        }
        assert!(memory.recall(&hash(1)).is_none());
        assert!(memory.recall(&hash(9_999)).is_some());
    }
}
