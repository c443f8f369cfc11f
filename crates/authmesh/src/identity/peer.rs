//! Who the other side of a connection proved to be.

use std::sync::Arc;

use authmesh_logic::identity::{Certificate, Lifetime, SpiffeId, check_leaf};
use rustls::pki_types::CertificateDer;

/// A peer whose chain of certificates was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Who it is.
    pub id: SpiffeId,
    /// How long its proof holds: the part of time in which its whole chain is valid.
    pub lifetime: Lifetime,
    /// The chain it showed, its own certificate first.
    pub(super) chain: Arc<[CertificateDer<'static>]>,
}

impl Peer {
    /// The peer that showed this chain in a handshake which verified it. Its own certificate says
    /// how long its proof holds.
    pub(crate) fn of_handshake(chain: &[CertificateDer<'_>]) -> Option<Self> {
        let facts = Certificate::read(chain.first()?).ok()?;
        let id = check_leaf(&facts).ok()?;
        let chain = chain.iter().map(|certificate| certificate.clone().into_owned()).collect();
        Some(Self { id, lifetime: facts.lifetime, chain })
    }
}
