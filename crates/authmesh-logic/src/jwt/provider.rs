//! One token provider: whose tokens are believed, and where the keys come from.

use alloc::boxed::Box;

use super::{RefreshPolicy, TokenPolicy};

/// One token provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Its name in the configuration.
    pub name: Box<str>,
    /// What its tokens must be like.
    pub tokens: TokenPolicy,
    /// Where its keys come from.
    pub keys: KeySource,
    /// The certificates of the authorities that its server must prove itself by, PEM, by path; those
    /// of the system if `None`.
    pub authorities: Option<Box<str>>,
    /// Where the keys that came last are kept over a restart, by path.
    pub copy: Option<Box<str>>,
    /// How its keys are kept fresh.
    pub refresh: RefreshPolicy,
    /// Whether a token that is believed travels on to the service.
    pub forwards: bool,
}

/// Where keys come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// From where the issuer's discovery document says.
    Discovery,
    /// From this URL.
    Url(Box<str>),
    /// From this file, by path.
    File(Box<str>),
}

impl Provider {
    /// A provider with every other setting at its default.
    #[must_use]
    pub fn new(name: &str, tokens: TokenPolicy, keys: KeySource) -> Self {
        Self {
            name: name.into(),
            tokens,
            keys,
            authorities: None,
            copy: None,
            refresh: RefreshPolicy::default(),
            forwards: false,
        }
    }

    /// Whether keys that were fetched for `other` are this one's, too.
    #[must_use]
    pub fn has_keys_of(&self, other: &Self) -> bool {
        self.tokens.issuer == other.tokens.issuer
            && self.keys == other.keys
            && self.authorities == other.authorities
    }
}
