//! Revocation lists: whether every certificate of a path is vouched for by its issuer's list.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use authmesh_logic::identity::{Lifetime, RevocationList, RevocationMode, Standing, SvidFault};
use rustls::pki_types::{CertificateRevocationListDer, SubjectPublicKeyInfoDer};
use webpki::RawPublicKeyEntity;

use super::pem::{PemFault, revocation_lists};

/// The revocation lists of a mesh's authorities, and what happens where they say nothing.
pub struct RevocationLists {
    lists: Box<[List]>,
    lifetimes: Box<[Lifetime]>,
    mode: RevocationMode,
}

/// One list, read once.
struct List {
    der: CertificateRevocationListDer<'static>,
    issuer: Box<[u8]>,
    revoked: BTreeSet<Box<[u8]>>,
    lifetime: Lifetime,
    /// The keys that its signature was held against.
    asked: [OnceLock<Asked>; MOST_KEYS],
}

/// A key, and whether it signed a list.
struct Asked {
    key: Box<[u8]>,
    signed: bool,
}

/// How many keys a list remembers: an authority that changes its key keeps its name.
const MOST_KEYS: usize = 4;

/// One certificate of a path, as its issuer's list speaks of it.
pub(super) struct Subject<'a> {
    pub(super) serial: &'a [u8],
    pub(super) issuer: &'a [u8],
    /// The key of the issuer.
    pub(super) key: SubjectPublicKeyInfoDer<'a>,
    /// Whether the issuer may sign lists.
    pub(super) may_issue_lists: bool,
}

impl RevocationLists {
    /// The lists that a PEM text holds.
    ///
    /// # Errors
    ///
    /// When it holds no revocation list, or one that cannot be used.
    pub fn from_pem(pem: &[u8], mode: RevocationMode) -> Result<Self, PemFault> {
        let lists: Result<Box<[List]>, PemFault> =
            revocation_lists(pem)?.into_iter().map(List::read).collect();
        let lists = lists?;
        let lifetimes = lists.iter().map(|list| list.lifetime).collect();
        Ok(Self { lists, lifetimes, mode })
    }

    /// No lists at all: with [`RevocationMode::Require`] every peer is refused.
    #[must_use]
    pub fn none(mode: RevocationMode) -> Self {
        Self { lists: Box::default(), lifetimes: Box::default(), mode }
    }

    /// How long each list holds, in the order of the text.
    #[must_use]
    pub fn lifetimes(&self) -> &[Lifetime] {
        &self.lifetimes
    }

    /// What happens to a peer of whom no usable list speaks.
    #[must_use]
    pub fn mode(&self) -> RevocationMode {
        self.mode
    }

    /// Whether a certificate may still be believed.
    pub(super) fn check(&self, subject: &Subject<'_>, now: Duration) -> Result<(), SvidFault> {
        match self.ask(subject, now) {
            Err(fault) if fault != SvidFault::Revoked && self.mode == RevocationMode::Warn => {
                tracing::debug!(%fault, "believed without a usable revocation list");
                Ok(())
            }
            answer => answer,
        }
    }

    fn ask(&self, subject: &Subject<'_>, now: Duration) -> Result<(), SvidFault> {
        let mut answer = Err(SvidFault::CrlMissing);
        for list in self.lists.iter().filter(|list| *list.issuer == *subject.issuer) {
            let said = if !list.is_signed_by(subject) {
                Err(SvidFault::CrlSignature)
            } else if list.revoked.contains(subject.serial) {
                return Err(SvidFault::Revoked);
            } else if list.lifetime.standing(now) == Standing::Ended {
                Err(SvidFault::CrlExpired)
            } else {
                Ok(())
            };
            // One list that holds is enough, and the others are still asked for the name.
            answer = answer.or(said);
        }
        answer
    }
}

impl List {
    fn read(der: CertificateRevocationListDer<'static>) -> Result<Self, PemFault> {
        let facts = RevocationList::read(&der).map_err(|_| PemFault::Malformed)?;
        let (issuer, lifetime) = (facts.issuer.into(), facts.lifetime);
        let revoked = facts.revoked.into_iter().map(Box::from).collect();
        Ok(Self { issuer, revoked, lifetime, asked: Default::default(), der })
    }

    /// Verified once for each key. Only those of authorities come here, for a path is verified first.
    fn is_signed_by(&self, subject: &Subject<'_>) -> bool {
        if !subject.may_issue_lists {
            return false;
        }
        let mut answered = self.asked.iter().map_while(OnceLock::get);
        if let Some(asked) = answered.find(|asked| *asked.key == *subject.key) {
            return asked.signed;
        }
        let signed = self.verify_signature(subject);
        let mut unused = self.asked.iter().filter(|asked| asked.get().is_none());
        if let Some(place) = unused.next() {
            // Whoever was faster there has verified as well.
            let _ = place.set(Asked { key: (*subject.key).into(), signed });
        }
        signed
    }

    fn verify_signature(&self, subject: &Subject<'_>) -> bool {
        let Ok(facts) = RevocationList::read(&self.der) else { return false };
        let Ok(key) = RawPublicKeyEntity::try_from(&subject.key) else { return false };
        let algorithms = webpki::ALL_VERIFICATION_ALGS.iter();
        let mut named = algorithms.filter(|known| *known.signature_alg_id() == *facts.algorithm);
        // One name stands for several algorithms, one for each kind of key; the wrong ones refuse.
        named.any(|known| key.verify_signature(*known, facts.signed, facts.signature).is_ok())
    }
}

/// Two collections are the same when their lists and their modes are.
impl PartialEq for RevocationLists {
    fn eq(&self, other: &Self) -> bool {
        let ours = self.lists.iter().map(|list| &list.der);
        self.mode == other.mode && ours.eq(other.lists.iter().map(|list| &list.der))
    }
}

impl Eq for RevocationLists {}

impl fmt::Debug for RevocationLists {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("RevocationLists");
        shown.field("lists", &self.lists.len()).field("mode", &self.mode).finish()
    }
}
