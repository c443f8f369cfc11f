//! The authorities that may vouch for the workloads of one trust domain.

use std::borrow::Cow;
use std::time::Duration;

use authmesh_logic::identity::{Certificate, Lifetime, Standing};
use rustls::pki_types::{CertificateDer, TrustAnchor};

use super::pem::{PemFault, certificates_from_pem};

/// The root certificates of one trust domain.
#[derive(Clone, Debug)]
pub struct TrustBundle {
    roots: Box<[CertificateDer<'static>]>,
    anchors: Box<[TrustAnchor<'static>]>,
    lifetimes: Box<[Lifetime]>,
}

impl TrustBundle {
    /// The bundle that a PEM text holds.
    ///
    /// # Errors
    ///
    /// When it holds no certificate, or one that cannot be read or is no authority's.
    pub fn from_pem(pem: &[u8]) -> Result<Self, PemFault> {
        let roots = certificates_from_pem(pem)?;
        let mut anchors = Vec::with_capacity(roots.len());
        let mut lifetimes = Vec::with_capacity(roots.len());
        for root in &roots {
            let facts = Certificate::read(root).map_err(|_| PemFault::Malformed)?;
            if !facts.is_authority {
                return Err(PemFault::NotAnAuthority);
            }
            let anchor = webpki::anchor_from_trusted_cert(root);
            anchors.push(anchor.map_err(|_| PemFault::Malformed)?.to_owned());
            lifetimes.push(facts.lifetime);
        }
        Ok(Self { roots: roots.into(), anchors: anchors.into(), lifetimes: lifetimes.into() })
    }

    /// How long each root holds, in the order of the text.
    #[must_use]
    pub fn lifetimes(&self) -> &[Lifetime] {
        &self.lifetimes
    }

    /// The roots that hold at `now`: to the library that builds paths a root has no age.
    pub(super) fn anchors(&self, now: Duration) -> Cow<'_, [TrustAnchor<'static>]> {
        let holds = |lifetime: &Lifetime| lifetime.standing(now).is_valid();
        if self.lifetimes.iter().all(holds) {
            return Cow::Borrowed(&self.anchors);
        }
        let alive = self.anchors.iter().zip(&self.lifetimes).filter(|(_, life)| holds(life));
        Cow::Owned(alive.map(|(anchor, _)| anchor.clone()).collect())
    }

    /// Whether every root has ended at `now`.
    pub(super) fn has_ended(&self, now: Duration) -> bool {
        self.lifetimes.iter().all(|lifetime| lifetime.standing(now) == Standing::Ended)
    }
}

/// Two bundles are the same when their roots are.
impl PartialEq for TrustBundle {
    fn eq(&self, other: &Self) -> bool {
        self.roots == other.roots
    }
}

impl Eq for TrustBundle {}
