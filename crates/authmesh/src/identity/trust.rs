//! Verifies a chain of certificates against the bundle of its own trust domain, never a union.

use std::collections::BTreeMap;
use std::time::Duration;

use authmesh_logic::identity::{
    Certificate, Lifetime, SpiffeId, SvidFault, TrustDomain, check_leaf, check_signer,
};
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer, UnixTime};
use webpki::{EndEntityCert, KeyUsage, VerifiedPath};

use super::bundle::TrustBundle;
use super::peer::Peer;
use super::revocation::{RevocationLists, Subject};

/// Whom a mesh believes: a bundle for each trust domain, and revocation lists.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Trust {
    bundles: BTreeMap<TrustDomain, TrustBundle>,
    revocation: Option<RevocationLists>,
}

/// As what a peer proves itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// It calls.
    Client,
    /// It is called.
    Server,
}

impl Trust {
    /// Believes nobody yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, believing the authorities of `bundle` about the workloads of `domain`.
    #[must_use]
    pub fn with(mut self, domain: TrustDomain, bundle: TrustBundle) -> Self {
        self.bundles.insert(domain, bundle);
        self
    }

    /// The same, with revocation lists.
    #[must_use]
    pub fn with_revocation(mut self, lists: RevocationLists) -> Self {
        self.revocation = Some(lists);
        self
    }

    /// The bundles, by trust domain.
    #[must_use]
    pub fn bundles(&self) -> &BTreeMap<TrustDomain, TrustBundle> {
        &self.bundles
    }

    /// The revocation lists, if there are any.
    #[must_use]
    pub fn revocation(&self) -> Option<&RevocationLists> {
        self.revocation.as_ref()
    }

    /// Who shows this chain, its own certificate first, at `now` (time since 1970).
    ///
    /// `domain` is the only trust domain the peer may be of; any that there is a bundle for if
    /// `None`. That the peer has the key of its certificate is for the handshake to prove.
    ///
    /// # Errors
    ///
    /// The first rule that the chain breaks: those of the certificate alone, then the bundle, then
    /// those of the path, then revocation.
    pub fn verify(
        &self,
        chain: &[CertificateDer<'_>],
        domain: Option<&str>,
        role: Role,
        now: Duration,
    ) -> Result<Peer, SvidFault> {
        let (leaf, intermediates) = chain.split_first().ok_or(SvidFault::EmptyChain)?;
        // Read by the stricter reader first: ours only ever sees what that one understood.
        let end = EndEntityCert::try_from(leaf).map_err(|_| SvidFault::Malformed)?;
        let facts = Certificate::read(leaf).map_err(|_| SvidFault::Malformed)?;
        let id = check_leaf(&facts)?;
        let bundle = self.bundles.get(id.trust_domain()).ok_or(SvidFault::NoBundle)?;
        if domain.is_some_and(|domain| domain != id.trust_domain()) {
            return Err(SvidFault::BundleMismatch);
        }
        if bundle.has_ended(now) {
            return Err(SvidFault::Expired);
        }
        let anchors = bundle.anchors(now);
        let usage = match role {
            Role::Client => KeyUsage::client_auth(),
            Role::Server => KeyUsage::server_auth(),
        };
        let time = UnixTime::since_unix_epoch(now);
        // Revocation is asked below: the library takes no lists without extensions, as many
        // authorities make them.
        let path = end
            .verify_for_usage(
                webpki::ALL_VERIFICATION_ALGS,
                &anchors,
                intermediates,
                time,
                usage,
                None,
                None,
            )
            .map_err(|error| fault_of(&error))?;
        let lifetime = self.check_path(facts, &path, &id, now)?;
        let chain = chain.iter().map(|certificate| certificate.clone().into_owned()).collect();
        Ok(Peer { id, lifetime, chain })
    }

    /// When, from `now` on, a root or a revocation list begins or ends next.
    pub(super) fn next_change(&self, now: Duration) -> Option<Duration> {
        let roots = self.bundles.values().flat_map(TrustBundle::lifetimes);
        let lists = self.revocation.iter().flat_map(RevocationLists::lifetimes);
        let edges = roots.chain(lists).flat_map(|lifetime| [lifetime.from, lifetime.until]);
        edges.filter(|edge| *edge >= now).min()
    }

    /// Holds every certificate of a path against the rules of signers and the revocation lists;
    /// gives the time in which all of them hold.
    fn check_path(
        &self,
        leaf: Certificate<'_>,
        path: &VerifiedPath<'_>,
        id: &SpiffeId,
        now: Duration,
    ) -> Result<Lifetime, SvidFault> {
        let mut lifetime = leaf.lifetime;
        let signers: Vec<_> = path.intermediate_certificates().map(webpki::Cert::der).collect();
        let mut issued = leaf;
        for (place, signer) in path.intermediate_certificates().enumerate() {
            let facts = Certificate::read(&signers[place]).map_err(|_| SvidFault::Malformed)?;
            check_signer(&facts, id.trust_domain())?;
            let may_issue_lists = facts.key_use.is_none_or(|key_use| key_use.crl_sign);
            self.check_revoked(&issued, signer.subject_public_key_info(), may_issue_lists, now)?;
            lifetime.from = lifetime.from.max(facts.lifetime.from);
            lifetime.until = lifetime.until.min(facts.lifetime.until);
            issued = facts;
        }
        // What a root may sign is for those to say who put it into the bundle.
        self.check_revoked(&issued, webpki::spki_for_anchor(path.anchor()), true, now)?;
        Ok(lifetime)
    }

    fn check_revoked(
        &self,
        issued: &Certificate<'_>,
        key: SubjectPublicKeyInfoDer<'_>,
        may_issue_lists: bool,
        now: Duration,
    ) -> Result<(), SvidFault> {
        let Some(lists) = &self.revocation else { return Ok(()) };
        let Certificate { serial, issuer, .. } = *issued;
        lists.check(&Subject { serial, issuer, key, may_issue_lists }, now)
    }
}

fn fault_of(error: &webpki::Error) -> SvidFault {
    use webpki::Error;
    match error {
        Error::CertExpired { .. } | Error::InvalidCertValidity => SvidFault::Expired,
        Error::CertNotValidYet { .. } => SvidFault::NotYetValid,
        Error::NameConstraintViolation
        | Error::MalformedNameConstraint
        | Error::InvalidNetworkMaskConstraint
        | Error::MaximumNameConstraintComparisonsExceeded => SvidFault::NameConstraint,
        Error::CaUsedAsEndEntity => SvidFault::LeafIsCa,
        Error::RequiredEkuNotFoundContext(_) | Error::EmptyEkuExtension => SvidFault::EkuIncomplete,
        Error::BadDer
        | Error::BadDerTime
        | Error::ExtensionValueInvalid
        | Error::MalformedExtensions
        | Error::TrailingData(_)
        | Error::UnsupportedCertVersion
        | Error::UnsupportedCriticalExtension => SvidFault::Malformed,
        _ => SvidFault::UnknownAuthority,
    }
}
