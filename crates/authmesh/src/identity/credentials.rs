//! Reads the files of an identity into one value that cannot be half new.

use std::path::Path;
use std::time::Duration;

use authmesh_logic::config::{Code, IdentityConfig, TrustConfig};
use authmesh_logic::identity::{Lifetime, RevocationMode, SpiffeId, Standing};

use super::age::age_words;
use super::bundle::TrustBundle;
use super::fault::{IdentityFault, Part};
use super::known_chains::KnownChains;
use super::own::OwnCertificate;
use super::pem::PemFault;
use super::revocation::RevocationLists;
use super::trust::{Role, Trust};
use crate::file_bytes::{FileFault, read_bounded};

/// What a mesh proves itself with and whom it believes, as its files say at one time.
pub(crate) struct Credentials {
    pub(super) own: OwnCertificate,
    /// Who this mesh is; `None` if its certificate is none of a trust domain.
    pub(super) id: Option<SpiffeId>,
    /// Whom it believes; `None` if no trust domain is configured.
    pub(super) trust: Option<Trust>,
    /// The chains that `trust` was content with.
    pub(super) known: KnownChains,
}

/// The largest file with a certificate or a key, in bytes.
const LARGEST_OWN: u64 = 64 * 1024;

/// The largest bundle, in bytes.
const LARGEST_BUNDLE: u64 = 1024 * 1024;

/// The largest file of revocation lists, in bytes.
const LARGEST_CRL: u64 = 16 * 1024 * 1024;

impl Credentials {
    /// Reads what `config` names. What is worth knowing and no reason to refuse comes beside it.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with any of the files.
    pub(crate) fn read(
        config: &IdentityConfig,
        now: Duration,
    ) -> Result<(Self, Vec<IdentityFault>), Vec<IdentityFault>> {
        let mut faults = Vec::new();
        let mut warnings = Vec::new();
        let own = take(&mut faults, read_own(config));
        let trust = match &config.trust {
            None => Some(None),
            Some(trust) => read_trust(trust, &mut faults, &mut warnings).map(Some),
        };
        let (Some(own), Some(trust)) = (own, trust) else { return Err(faults) };
        let id = match prove(&own, &trust, config, now) {
            Ok(id) => id,
            Err(fault) => {
                faults.push(fault);
                None
            }
        };
        if !faults.is_empty() {
            return Err(faults);
        }
        warnings.extend(age_warning(Part::Cert, "the certificate", own.lifetime, now));
        if let Some(trust) = &trust {
            warn_of_ages(trust, config, now, &mut warnings);
        }
        Ok((Self { own, id, trust, known: KnownChains::default() }, warnings))
    }

    /// What is to be said of the own certificate's age.
    pub(super) fn standing(&self, now: Duration) -> Standing {
        self.own.lifetime.standing(now)
    }
}

/// Two credentials are the same when they show and believe the same.
impl PartialEq for Credentials {
    fn eq(&self, other: &Self) -> bool {
        self.own.certified.cert == other.own.certified.cert && self.trust == other.trust
    }
}

fn take<T>(faults: &mut Vec<IdentityFault>, read: Result<T, IdentityFault>) -> Option<T> {
    read.map_err(|fault| faults.push(fault)).ok()
}

fn read_own(config: &IdentityConfig) -> Result<OwnCertificate, IdentityFault> {
    let cert = read_file(&config.cert, Part::Cert, LARGEST_OWN)?;
    let key = read_bounded(Path::new(&*config.key), LARGEST_OWN, true);
    let key = key.map_err(|fault| match fault {
        FileFault::UsableByOthers(mode) => {
            let sentence =
                format!("others than its owner can use the private key (mode {mode:04o})");
            IdentityFault::new(Part::Key, Code::KeyReadable, sentence)
                .help(format!("chmod 600 {}", config.key))
        }
        other => unread(Part::Key, &config.key, &other),
    })?;
    OwnCertificate::from_pem(&cert, &key)
}

fn read_trust(
    config: &TrustConfig,
    faults: &mut Vec<IdentityFault>,
    warnings: &mut Vec<IdentityFault>,
) -> Option<Trust> {
    let own = take(faults, read_bundle(&config.bundle, Part::Bundle));
    let federated: Vec<_> = config
        .federation
        .iter()
        .enumerate()
        .map(|(index, other)| take(faults, read_bundle(&other.bundle, Part::Federation(index))))
        .collect();
    let revocation = match &config.crl {
        None => Some(None),
        Some(crl) => match read_lists(&crl.file, crl.mode) {
            Ok(lists) => Some(Some(lists)),
            Err(fault) if crl.mode == RevocationMode::Warn => {
                warnings.push(fault);
                Some(Some(RevocationLists::none(crl.mode)))
            }
            Err(fault) => {
                faults.push(fault);
                None
            }
        },
    };
    let mut trust = Trust::new().with(config.trust_domain.clone(), own?);
    for (other, bundle) in config.federation.iter().zip(federated) {
        trust = trust.with(other.trust_domain.clone(), bundle?);
    }
    Some(match revocation? {
        Some(lists) => trust.with_revocation(lists),
        None => trust,
    })
}

fn read_bundle(path: &str, part: Part) -> Result<TrustBundle, IdentityFault> {
    let pem = read_file(path, part, LARGEST_BUNDLE)?;
    TrustBundle::from_pem(&pem).map_err(|fault| {
        let sentence = match fault {
            PemFault::NotAnAuthority => "a certificate of the bundle is no authority's",
            PemFault::Malformed => "a certificate of the bundle cannot be used",
            _ => "the bundle holds no certificate in PEM",
        };
        IdentityFault::new(part, Code::CertificateUnreadable, sentence)
    })
}

fn read_lists(path: &str, mode: RevocationMode) -> Result<RevocationLists, IdentityFault> {
    let pem = read_file(path, Part::Crl, LARGEST_CRL)?;
    RevocationLists::from_pem(&pem, mode).map_err(|fault| {
        let sentence = match fault {
            PemFault::Malformed => "a revocation list of the file cannot be used",
            _ => "the file holds no revocation list in PEM",
        };
        IdentityFault::new(Part::Crl, Code::CertificateUnreadable, sentence)
    })
}

fn read_file(path: &str, part: Part, largest: u64) -> Result<Vec<u8>, IdentityFault> {
    let bytes = read_bounded(Path::new(path), largest, false);
    bytes.map(|bytes| bytes.to_vec()).map_err(|fault| unread(part, path, &fault))
}

fn unread(part: Part, path: &str, fault: &FileFault) -> IdentityFault {
    let what = match part {
        Part::Cert => "the certificate",
        Part::Key => "the private key",
        Part::Bundle | Part::Federation(_) => "the bundle",
        Part::Crl => "the file of revocation lists",
    };
    match fault {
        FileFault::Unreadable(error) => {
            let sentence = format!("{what} `{path}` cannot be read: {error}");
            IdentityFault::new(part, Code::NoSuchFile, sentence)
        }
        _ => {
            let code = match part {
                Part::Key => Code::KeyUnreadable,
                _ => Code::CertificateUnreadable,
            };
            IdentityFault::new(part, code, format!("`{path}` is too long for {what}"))
        }
    }
}

/// Who the own certificate says this mesh is: what it would show must convince itself.
fn prove(
    own: &OwnCertificate,
    trust: &Option<Trust>,
    config: &IdentityConfig,
    now: Duration,
) -> Result<Option<SpiffeId>, IdentityFault> {
    let (Some(trust), Some(named)) = (trust, &config.trust) else { return Ok(None) };
    let domain = named.trust_domain.as_str();
    // Its age is a warning, and makes the mesh unready; all else must hold in its life too.
    let lifetime = own.lifetime;
    let then = if lifetime.standing(now).is_valid() { now } else { lifetime.from };
    let mut id = None;
    for role in [Role::Client, Role::Server] {
        match trust.verify(&own.certified.cert, Some(domain), role, then) {
            Ok(peer) => id = Some(peer.id),
            // Then the revocation lists and the roots of today may not hold.
            Err(_) if then != now => {}
            Err(fault) => {
                let sentence =
                    format!("the certificate does not prove a workload of `{domain}`: {fault}");
                return Err(IdentityFault::new(Part::Cert, Code::CertificateUnreadable, sentence));
            }
        }
    }
    Ok(id)
}

fn warn_of_ages(
    trust: &Trust,
    config: &IdentityConfig,
    now: Duration,
    warnings: &mut Vec<IdentityFault>,
) {
    for (domain, bundle) in trust.bundles() {
        let federation = config.trust.iter().flat_map(|trust| &trust.federation);
        let place = federation.enumerate().find(|(_, other)| other.trust_domain == *domain);
        let part = place.map_or(Part::Bundle, |(index, _)| Part::Federation(index));
        for lifetime in bundle.lifetimes() {
            warnings.extend(age_warning(part, "a root of the bundle", *lifetime, now));
        }
    }
    for lifetime in trust.revocation().into_iter().flat_map(|lists| lists.lifetimes()) {
        // A list is renewed when it ends, so that it is late says nothing before.
        if lifetime.standing(now) == Standing::Ended {
            warnings.extend(age_warning(Part::Crl, "a revocation list", *lifetime, now));
        }
    }
}

fn age_warning(part: Part, what: &str, lifetime: Lifetime, now: Duration) -> Option<IdentityFault> {
    let (code, words) = age_words(lifetime, now)?;
    Some(IdentityFault::new(part, code, format!("{what} {words}")))
}
