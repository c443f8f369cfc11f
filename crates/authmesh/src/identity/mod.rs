//! Identity: what this mesh proves itself with, and whom it believes.
//!
//! [`Trust`] holds a [`TrustBundle`] for each trust domain and verifies chains of certificates by
//! the X.509-SVID specification; [`MeshIdentity`] is that and the mesh's own certificate, read from
//! files, watched, and exchanged while connections go on.

mod age;
mod bundle;
mod credentials;
mod fault;
mod handshake;
mod known_chains;
mod live;
mod own;
mod peer;
mod pem;
mod pin;
mod revocation;
mod server;
mod status;
mod trust;
mod verifier;
mod watch;

pub use authmesh_logic::identity::{
    Certificate, Lifetime, RevocationMode, SpiffeId, SpiffeIdError, Standing, SvidFault,
    TrustDomain,
};
pub use bundle::TrustBundle;
pub use fault::{IdentityFault, Part};
pub use handshake::{HandshakeEnd, HandshakeFault, Side};
pub use live::MeshIdentity;
pub use peer::Peer;
pub use pem::{PemFault, certificates_from_pem};
pub use revocation::RevocationLists;
pub use server::Clients;
pub use status::{CertificateStatus, HandshakeCount, IdentityStatus};
pub use trust::{Role, Trust};

pub(crate) use age::{age_words, time_words};
pub(crate) use credentials::Credentials;
pub(crate) use pin::{Pin, Pins, Proof};
