//! Tokens (JSON Web Tokens, RFC 7519): which one is believed, and when an issuer's keys are fetched.
//!
//! A token is judged in this order, and the first thing that is wrong with it is its fault:
//!
//! | step | what is asked | faults |
//! |---|---|---|
//! | form | its length, three segments, base64url | `token_too_large`, `malformed` |
//! | header | an object, `alg` of the provider's list, no `crit`, `typ` | `malformed_header`, `alg_not_allowed`, `unsupported_crit`, `wrong_typ` |
//! | issuer | `iss` is the provider's, letter by letter | `malformed_payload`, `missing_iss`, `malformed_claim`, `wrong_issuer` |
//! | key | the one key of this issuer with this `kid`, made for this | `missing_kid`, `unknown_kid`, `ambiguous_kid`, `key_alg_mismatch`, `key_not_for_signing`, `weak_key`, `invalid_key` |
//! | signature | over the bytes as sent | `bad_signature` |
//! | time | `exp`, `nbf`, `iat`, lifetime | `missing_exp`, `expired`, `not_yet_valid`, `iat_in_future`, `lifetime_too_long` |
//! | audience, subject | ours; somebody | `missing_aud`, `wrong_audience`, `missing_sub`, `claim_not_header_safe` |
//!
//! What a token says about its own key (`jwk`, `jku`, `x5c`, `x5u`) is never looked at. Bytes become
//! [`Json`] and signatures are verified on the floor above.

mod algorithm;
mod bearer;
mod claims;
mod compact;
mod date;
mod discovery_document;
mod fault;
mod freshness;
mod header;
mod json;
mod key_facts;
mod key_refresh;
mod key_url;
mod policy;
mod provider;

pub use algorithm::{Algorithm, KeyKind};
pub use bearer::bearer;
pub use claims::{Subject, TokenClaims, issuer_of, judge_claims, judge_issuer};
pub use compact::Compact;
pub use date::NumericDate;
pub use discovery_document::{DiscoveryFault, jwks_uri};
pub use fault::TokenFault;
pub use freshness::fresh_for;
pub use header::{TokenHeader, judge_header};
pub use json::Json;
pub use key_facts::{KeyFacts, LEAST_RSA_BITS, rsa_bits};
pub use key_refresh::{Ask, KeyRefresh, RefreshPolicy, Standing};
pub use key_url::{UrlFault, check_key_url};
pub use policy::TokenPolicy;
pub use provider::{KeySource, Provider};
