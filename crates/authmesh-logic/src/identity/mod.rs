//! Identity: who a certificate says its holder is, and whether it may be believed.
//!
//! A name is a [`SpiffeId`] in a [`TrustDomain`]. [`Certificate`] reads the facts of a certificate,
//! [`check_leaf`] and [`check_signer`] hold them against the X.509-SVID specification. Signatures
//! are not verified here.

mod certificate;
mod der;
mod fault;
mod lifetime;
mod revocation;
mod spiffe_id;
mod svid;
mod time;

pub use certificate::{Certificate, ExtendedUse, KeyUse, Malformed, Uris};
pub use fault::SvidFault;
pub use lifetime::{Lifetime, Standing};
pub use revocation::{RevocationList, RevocationMode};
pub use spiffe_id::{SpiffeId, SpiffeIdError, TrustDomain};
pub use svid::{check_leaf, check_signer};
