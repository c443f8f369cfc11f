//! Judges a token by the provider it names, with the keys that are held now.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use authmesh_logic::jwt::{NumericDate, TokenClaims, TokenFault, TokenPolicy};

use super::believed::{Remembered, hash_of, recall, remember};
use super::counts::TokenCounts;
use super::held::{Held, next_edition};
use super::issuer::{Issuer, Looked};
use super::token::Opened;
use super::wait::KeyWait;
use crate::clock::Clock;

/// The providers of a configuration. Swapped whole when it changes.
pub struct TokenVerifier {
    issuers: Box<[Arc<Issuer>]>,
    /// Tokens of which nobody knows whose they are.
    strays: Arc<TokenCounts>,
    edition: u64,
}

/// A token that is believed.
#[derive(Clone, Debug)]
pub struct Believed {
    /// What it says.
    pub claims: Arc<TokenClaims>,
    /// Whether it travels on to the service.
    pub forwards: bool,
    counts: Arc<TokenCounts>,
}

/// Why a token is not believed, or not yet.
#[derive(Debug)]
pub enum Unverified {
    /// It is faulty.
    Faulty(TokenFault),
    /// Keys are on their way: judge it again when the wait has ended.
    Awaited(KeyWait),
    /// Its keys cannot be had, so nobody can say.
    Unavailable,
}

impl TokenVerifier {
    pub(super) fn new(issuers: Box<[Arc<Issuer>]>, strays: &Arc<TokenCounts>) -> Self {
        Self { issuers, strays: Arc::clone(strays), edition: next_edition() }
    }

    /// Judges a token. Does not wait and takes no lock, unless its key is not held.
    ///
    /// # Errors
    ///
    /// Why it is not believed, or not yet.
    pub fn verify(&self, token: &str) -> Result<Believed, Unverified> {
        let (place, judged) = self.look(token);
        let counts = place.map_or(&self.strays, |place| &self.issuers[place].tokens);
        match &judged {
            Ok(believed) => believed.count(),
            Err(Unverified::Awaited(_)) => {}
            Err(Unverified::Faulty(fault)) => counts.faulty(*fault),
            Err(Unverified::Unavailable) => counts.unavailable(),
        }
        judged
    }

    /// The token if it is believed now. Nothing is counted: whoever is not content with it lets
    /// [`verify`](Self::verify) judge it again, and whoever is [counts](Believed::count) it.
    #[must_use]
    pub fn believe(&self, token: &str) -> Option<Believed> {
        self.look(token).1.ok()
    }

    /// What a token is, and whose it seems to be.
    fn look(&self, token: &str) -> (Option<usize>, Result<Believed, Unverified>) {
        let now = Clock.time_of_day().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = NumericDate::since_1970(now);
        let hash = hash_of(token);
        if let Some(believed) = self.recall(&hash, now) {
            return (None, Ok(believed));
        }
        let place = match self.place_of(token) {
            Ok(place) => place,
            Err(fault) => return (None, Err(Unverified::Faulty(fault))),
        };
        let issuer = &self.issuers[place];
        let judged = self.judge(issuer, token, now).map(|(claims, edition)| {
            let kept = Arc::clone(&claims);
            remember(hash, Remembered { verifier: self.edition, place, edition, claims: kept });
            issuer.believed(claims)
        });
        (Some(place), judged)
    }

    /// Judges a token a last time, after a wait: whoever has waited does not wait again.
    ///
    /// # Errors
    ///
    /// Why it is not believed; never [`Unverified::Awaited`].
    pub fn verify_finally(&self, token: &str) -> Result<Believed, Unverified> {
        self.verify(token).map_err(|unverified| match unverified {
            Unverified::Awaited(_) => {
                if let Ok(place) = self.place_of(token) {
                    self.issuers[place].tokens.unavailable();
                }
                Unverified::Unavailable
            }
            other => other,
        })
    }

    /// Judges a token, and waits within [`KeyWait::LONGEST`] for keys that are on their way.
    ///
    /// # Errors
    ///
    /// Why it is not believed; never [`Unverified::Awaited`].
    pub async fn verify_or_wait(&self, token: &str) -> Result<Believed, Unverified> {
        match self.verify(token) {
            Err(Unverified::Awaited(wait)) => {
                wait.ended().await;
                self.verify_finally(token)
            }
            judged => judged,
        }
    }

    /// Counts a request whose token was not found, or was no one to be judged.
    pub fn count_stray(&self, fault: TokenFault) {
        self.strays.faulty(fault);
    }

    /// What was believed already, if it still would be: by the same keys, in their time and its own.
    fn recall(&self, hash: &[u8; 32], now: NumericDate) -> Option<Believed> {
        let known = recall(hash).filter(|known| known.verifier == self.edition)?;
        let issuer = self.issuers.get(known.place)?;
        let held = issuer.held.load();
        let held = held.as_ref().filter(|held| held.edition == known.edition)?;
        let holds = known.claims.still_hold(&issuer.provider.tokens, now).is_ok();
        if !holds || !held.are_usable(Clock.now()) {
            return None;
        }
        Some(issuer.believed(known.claims))
    }

    /// The provider that judges a token: the only one there is, or the one it names.
    fn place_of(&self, token: &str) -> Result<usize, TokenFault> {
        if self.issuers.len() == 1 {
            return Ok(0);
        }
        let longest = self.issuers.iter().map(|issuer| issuer.provider.tokens.longest).max();
        let named = Opened::of(token, longest.unwrap_or(TokenPolicy::DEFAULT_LONGEST))?.issuer()?;
        let is_named = |issuer: &Arc<Issuer>| *issuer.provider.tokens.issuer == *named;
        self.issuers.iter().position(is_named).ok_or(TokenFault::WrongIssuer)
    }

    fn judge(
        &self,
        issuer: &Issuer,
        token: &str,
        now: NumericDate,
    ) -> Result<(Arc<TokenClaims>, u64), Unverified> {
        let policy = &issuer.provider.tokens;
        let opened = Opened::of(token, policy.longest).map_err(Unverified::Faulty)?;
        let claimed = opened.claimed(policy).map_err(Unverified::Faulty)?;
        let key = claimed.key_id().map_err(Unverified::Faulty)?;
        let held = issuer.held.load();
        let usable = held.as_deref().filter(|held| held.are_usable(Clock.now()));
        let is_known = |held: &Held| !matches!(held.keys.find(key), Err(TokenFault::UnknownKeyId));
        let Some(held) = usable.filter(|held| is_known(held)) else {
            return Err(match issuer.look_for(key) {
                Looked::Wait(wait) => Unverified::Awaited(wait),
                Looked::Unknown if usable.is_some() => Unverified::Faulty(TokenFault::UnknownKeyId),
                Looked::Unknown | Looked::Unavailable => Unverified::Unavailable,
            });
        };
        let claims = claimed.prove(&held.keys, policy, now).map_err(Unverified::Faulty)?;
        Ok((Arc::new(claims), held.edition))
    }
}

impl Believed {
    /// Counts it among the tokens that were believed.
    pub fn count(&self) {
        self.counts.believed();
    }
}

impl Issuer {
    fn believed(&self, claims: Arc<TokenClaims>) -> Believed {
        Believed { claims, forwards: self.provider.forwards, counts: Arc::clone(&self.tokens) }
    }
}
