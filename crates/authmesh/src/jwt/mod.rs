//! Tokens: verified with the keys of their issuers, which are fetched, kept fresh, and outlive the
//! outage of their issuer within a bound.
//!
//! [`KeySet::verify`] judges one token with one set of keys and knows no clock. [`MeshTokens`] is the
//! tokens of a running mesh: each provider's keys in one value that is swapped whole, a task that
//! keeps them fresh, and what was believed lately remembered by each thread.
//!
//! ```text
//! token → form → header → provider → key → signature → claims → believed
//!                                     │
//!                  unknown? one fetch for all who ask, a bounded wait, one more look
//! ```

mod base64url;
mod believed;
mod copy;
mod counts;
mod fetch;
mod fetch_fault;
mod files;
mod held;
mod issuer;
mod json;
mod keeper;
mod key;
mod key_set;
mod live;
mod roots;
mod source;
mod status;
mod token;
mod verifier;
mod wait;

pub use authmesh_logic::jwt::{
    Algorithm, KeySource, NumericDate, Provider, RefreshPolicy, Subject, TokenClaims, TokenFault,
    TokenPolicy, bearer,
};
pub use fetch_fault::FetchFault;
pub use key_set::{KeySet, KeySetFault};
pub use live::MeshTokens;
pub use status::{Counted, ProviderStatus};
pub use verifier::{Believed, TokenVerifier, Unverified};
pub use wait::KeyWait;

pub(crate) use files::{authorities_fault, keys_fault};
