//! Says how old every certificate is, and how handshakes ended.

use std::time::{Duration, UNIX_EPOCH};

use authmesh_logic::identity::{Lifetime, RevocationMode, Standing};
use serde::Serialize;

use super::handshake::{HandshakeEnd, Side};
use super::live::MeshIdentity;

/// The state of a mesh's identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IdentityStatus {
    /// Who this mesh is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Why nothing can be proved, as a sentence; `None` if all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unusable: Option<String>,
    /// Why the files on disk are not taken, as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// Since when they are not, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused_since: Option<u64>,
    /// How often the files were read and taken.
    pub readings: u64,
    /// Every certificate and revocation list.
    pub certificates: Vec<CertificateStatus>,
    /// How handshakes ended; ways that never happened are left out, but for the good one.
    #[serde(skip)]
    pub handshakes: Vec<HandshakeCount>,
}

/// The age of one certificate or revocation list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CertificateStatus {
    /// `own`, `bundle`, `federation` or `crl`.
    pub kind: &'static str,
    /// The file it was read from.
    pub file: String,
    /// What is to be said of its age, in a word.
    pub standing: &'static str,
    /// For how long it has held, in seconds.
    pub age_s: u64,
    /// For how long it still holds, in seconds.
    pub left_s: u64,
    /// When it ends, in seconds since 1970.
    pub ends_at: u64,
}

/// How often handshakes ended in one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandshakeCount {
    /// On which side.
    pub side: Side,
    /// How.
    pub end: HandshakeEnd,
    /// How often.
    pub count: u64,
}

impl MeshIdentity {
    /// The state of this identity; `None` if none is configured. Asking changes nothing.
    #[must_use]
    pub fn status(&self) -> Option<IdentityStatus> {
        let source = self.source();
        let config = source.config.clone()?;
        let (refused, readings) = (source.refused.clone(), source.readings);
        drop(source);
        let now = self.now();
        let credentials = self.credentials()?;
        let mut certificates =
            vec![CertificateStatus::of("own", &config.cert, credentials.own.lifetime, now)];
        let mut unusable = match credentials.standing(now) {
            Standing::Ended => Some("the mesh's own certificate has ended"),
            Standing::NotYet => Some("the mesh's own certificate does not hold yet"),
            _ => None,
        };
        if let (Some(trust), Some(named)) = (&credentials.trust, &config.trust) {
            for (domain, bundle) in trust.bundles() {
                let federated = named.federation.iter().find(|other| other.trust_domain == *domain);
                let (kind, file) = federated
                    .map_or(("bundle", &named.bundle), |other| ("federation", &other.bundle));
                let roots = bundle.lifetimes().iter();
                certificates
                    .extend(roots.map(|life| CertificateStatus::of(kind, file, *life, now)));
                if kind == "bundle" && bundle.has_ended(now) {
                    unusable = unusable.or(Some("every root of the own trust domain has ended"));
                }
            }
            if let (Some(lists), Some(crl)) = (trust.revocation(), &named.crl) {
                let ages = lists.lifetimes().iter();
                certificates
                    .extend(ages.map(|life| CertificateStatus::of("crl", &crl.file, *life, now)));
                let ended = |life: &Lifetime| life.standing(now) == Standing::Ended;
                if lists.mode() == RevocationMode::Require && lists.lifetimes().iter().any(ended) {
                    unusable = unusable.or(Some("a revocation list that is required has ended"));
                }
            }
        }
        let since = |time: std::time::SystemTime| {
            time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
        };
        Some(IdentityStatus {
            id: credentials.id.as_ref().map(ToString::to_string),
            unusable: unusable.map(str::to_owned),
            refused_since: refused.as_ref().map(|(time, _)| since(*time)),
            refused: refused.map(|(_, words)| words),
            readings,
            certificates,
            handshakes: self.handshake_counts(),
        })
    }

    fn handshake_counts(&self) -> Vec<HandshakeCount> {
        let both = [Side::Inbound, Side::Outbound].into_iter();
        both.flat_map(|side| HandshakeEnd::all().map(move |end| (side, end)))
            .map(|(side, end)| HandshakeCount { side, end, count: self.counted(side, end) })
            .filter(|counted| counted.count > 0 || counted.end == HandshakeEnd::Done)
            .collect()
    }
}

impl CertificateStatus {
    fn of(kind: &'static str, file: &str, lifetime: Lifetime, now: Duration) -> Self {
        Self {
            kind,
            file: file.to_owned(),
            standing: lifetime.standing(now).word(),
            age_s: lifetime.age(now).as_secs(),
            left_s: lifetime.left(now).as_secs(),
            ends_at: lifetime.until.as_secs(),
        }
    }
}
