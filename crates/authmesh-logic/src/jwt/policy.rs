//! What one issuer's tokens must be like.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use super::Algorithm;

/// What one issuer's tokens must be like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenPolicy {
    /// The issuer, as `iss` says it, letter by letter.
    pub issuer: Box<str>,
    /// Whom its tokens must be for: one of these.
    pub audiences: Vec<Box<str>>,
    /// By which algorithms they may be signed. Never what the token or a key chooses alone.
    pub algorithms: Vec<Algorithm>,
    /// Which kinds of token are taken, as `typ` says it; one without `typ` is a `JWT`.
    pub types: Vec<Box<str>>,
    /// How far the issuer's clock may be off.
    pub leeway: Duration,
    /// For how long a token may hold, from when it was issued; `None` is any time.
    pub longest_lifetime: Option<Duration>,
    /// How long a token may be, in bytes.
    pub longest: usize,
}

impl TokenPolicy {
    /// How long a token may be when nothing is said, in bytes.
    pub const DEFAULT_LONGEST: usize = 8 * 1024;

    /// How far clocks may be off when nothing is said.
    pub const DEFAULT_LEEWAY: Duration = Duration::from_secs(60);

    /// How far they may be off at most: beyond that the clock is wrong, not the token.
    pub const MOST_LEEWAY: Duration = Duration::from_secs(300);

    /// For how long a token may hold when nothing is said.
    pub const DEFAULT_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

    /// The algorithms when nothing is said.
    pub const DEFAULT_ALGORITHMS: [Algorithm; 4] =
        [Algorithm::Es256, Algorithm::Rs256, Algorithm::Ps256, Algorithm::EdDsa];

    /// The kinds of token when nothing is said: any (RFC 7519 §5.1), and access tokens (RFC 9068).
    pub const DEFAULT_TYPES: [&str; 2] = ["JWT", "at+jwt"];

    /// The defaults for an issuer and those its tokens are for.
    #[must_use]
    pub fn new(issuer: &str, audiences: &[&str]) -> Self {
        Self {
            issuer: issuer.into(),
            audiences: audiences.iter().map(|audience| Box::from(*audience)).collect(),
            algorithms: Self::DEFAULT_ALGORITHMS.into(),
            types: Self::DEFAULT_TYPES.map(Into::into).into(),
            leeway: Self::DEFAULT_LEEWAY,
            longest_lifetime: Some(Self::DEFAULT_LIFETIME),
            longest: Self::DEFAULT_LONGEST,
        }
    }
}
