//! A development authority: a folder with a root and its key, and the certificates it issues.
//!
//! It is for development and tests: its key lies in a file, and what it issues is short-lived.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use authmesh::identity::{Certificate, SpiffeId, TrustBundle, TrustDomain, certificates_from_pem};
use authmesh::worker::Clock;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints, SanType, date_time_ymd,
};

use crate::ending::Failure;

/// The certificate that issues, PEM.
const ROOT: &str = "ca.pem";

/// Its key.
const KEY: &str = "ca.key";

/// The roots that are to be believed: the one that issues, and those before it.
pub(crate) const BUNDLE: &str = "bundle.pem";

/// How far clocks may differ.
const SLACK: Duration = Duration::from_secs(300);

/// An authority in a folder.
pub(crate) struct Authority {
    folder: PathBuf,
    domain: TrustDomain,
    issuer: Issuer<'static, KeyPair>,
    /// When its root ends, in time since 1970.
    pub(crate) ends: Duration,
}

/// A certificate for a workload, and its key.
pub(crate) struct Issued {
    /// Whose it is.
    pub(crate) id: SpiffeId,
    /// The certificate, PEM.
    pub(crate) cert: String,
    /// The key, PEM.
    pub(crate) key: String,
    /// When it ends, in time since 1970.
    pub(crate) ends: Duration,
}

impl Authority {
    /// Makes a folder with a new root, which holds for `life`.
    pub(crate) fn make(
        folder: &Path,
        domain: TrustDomain,
        life: Duration,
    ) -> Result<Self, Failure> {
        if folder.join(KEY).exists() {
            let there = folder.display();
            return Err(Failure::bad_input(format!(
                "there is an authority in {there} already; `authmesh ca rotate` renews it"
            )));
        }
        fs::create_dir_all(folder).map_err(|error| unwritten(folder, &error))?;
        let (authority, root) = Self::new_root(folder, domain, life)?;
        write(&folder.join(BUNDLE), &root, 0o644)?;
        Ok(authority)
    }

    /// The authority in `folder`.
    pub(crate) fn open(folder: &Path) -> Result<Self, Failure> {
        let read = |name: &str| {
            let path = folder.join(name);
            fs::read_to_string(&path).map_err(|error| {
                let there = path.display();
                Failure::bad_input(format!(
                    "{there} cannot be read: {error}; `authmesh ca init` makes an authority"
                ))
            })
        };
        let (root, key) = (read(ROOT)?, read(KEY)?);
        let unusable =
            || Failure::bad_input(format!("{} is no authority of ours", folder.display()));
        let chain = certificates_from_pem(root.as_bytes()).map_err(|_| unusable())?;
        let facts = Certificate::read(&chain[0]).map_err(|_| unusable())?;
        let id = facts.uris.first.and_then(|uri| std::str::from_utf8(uri).ok());
        let id: SpiffeId = id.and_then(|uri| uri.parse().ok()).ok_or_else(unusable)?;
        let domain: TrustDomain = id.trust_domain().parse().map_err(|_| unusable())?;
        let key = KeyPair::from_pem(&key).map_err(|_| unusable())?;
        let params = root_params(&domain, facts.lifetime.from, facts.lifetime.until)?;
        let (ends, issuer) = (facts.lifetime.until, Issuer::new(params, key));
        Ok(Self { folder: folder.to_owned(), domain, issuer, ends })
    }

    /// Makes a new root for what is issued from now on. The bundle gains it and keeps those that
    /// have not ended, so that what was issued before is believed until it ends.
    pub(crate) fn rotate(self, life: Duration) -> Result<Self, Failure> {
        let bundle = self.folder.join(BUNDLE);
        let before = fs::read_to_string(&bundle).map_err(|error| unwritten(&bundle, &error))?;
        let (authority, root) = Self::new_root(&self.folder, self.domain, life)?;
        write(&bundle, &(root + &still_held(&before)), 0o644)?;
        Ok(authority)
    }

    /// A certificate for the workload `name`: a SPIFFE ID, or its path alone.
    pub(crate) fn issue(
        &self,
        name: &str,
        hosts: &[String],
        life: Duration,
    ) -> Result<Issued, Failure> {
        let text = match name.starts_with('/') {
            true => format!("spiffe://{}{name}", self.domain),
            false => name.to_owned(),
        };
        let id: SpiffeId = text.parse().map_err(Failure::bad_input)?;
        if id.trust_domain() != self.domain.as_str() || id.path().is_empty() {
            let domain = &self.domain;
            return Err(Failure::bad_input(format!(
                "this authority speaks for workloads of `{domain}`, as spiffe://{domain}/token"
            )));
        }
        let now = now();
        let ends = (now + life).min(self.ends);
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "authmesh development");
        params.subject_alt_names = vec![SanType::URI(text.try_into().map_err(made)?)];
        for host in hosts {
            params.subject_alt_names.push(match host.parse::<IpAddr>() {
                Ok(address) => SanType::IpAddress(address),
                Err(_) => SanType::DnsName(host.as_str().try_into().map_err(made)?),
            });
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        params.not_before = date_time_ymd(1970, 1, 1) + now.saturating_sub(SLACK);
        params.not_after = date_time_ymd(1970, 1, 1) + ends;
        let key = KeyPair::generate().map_err(made)?;
        let cert = params.signed_by(&key, &self.issuer).map_err(made)?.pem();
        Ok(Issued { id, cert, key: key.serialize_pem(), ends })
    }

    /// Where the bundle is.
    pub(crate) fn bundle(&self) -> PathBuf {
        self.folder.join(BUNDLE)
    }

    fn new_root(
        folder: &Path,
        domain: TrustDomain,
        life: Duration,
    ) -> Result<(Self, String), Failure> {
        let from = now();
        let ends = from + life;
        let params = root_params(&domain, from, ends)?;
        let key = KeyPair::generate().map_err(made)?;
        let root = params.self_signed(&key).map_err(made)?.pem();
        write(&folder.join(KEY), &key.serialize_pem(), 0o600)?;
        write(&folder.join(ROOT), &root, 0o644)?;
        let issuer = Issuer::new(params, key);
        Ok((Self { folder: folder.to_owned(), domain, issuer, ends }, root))
    }
}

/// Writes a file whole, by its name, with this mode from its first moment.
pub(crate) fn write(path: &Path, text: &str, mode: u32) -> Result<(), Failure> {
    let new = path.with_extension("new");
    // What an interrupted run left may have another mode.
    let _ = fs::remove_file(&new);
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&new);
    file.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&new, path))
        .map_err(|error| unwritten(path, &error))
}

/// The root of a trust domain. Its name comes from its domain and its beginning alone, so that the
/// certificate on disk says all there is to know.
///
/// Its names are bound to the domain and this machine; SPIFFE IDs are bound by the bundle.
fn root_params(
    domain: &TrustDomain,
    from: Duration,
    ends: Duration,
) -> Result<CertificateParams, Failure> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    let name = format!("{domain} development {}", from.as_secs());
    params.distinguished_name.push(DnType::CommonName, name);
    let uri = format!("spiffe://{domain}").try_into().map_err(made)?;
    params.subject_alt_names = vec![SanType::URI(uri)];
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let local = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    let addresses = local.into_iter().zip([8, 128]).map(|(address, prefix)| {
        GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(address, prefix))
    });
    let hosts = [domain.as_str(), "localhost"].map(|name| GeneralSubtree::DnsName(name.into()));
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: hosts.into_iter().chain(addresses).collect(),
        excluded_subtrees: Vec::new(),
    });
    params.not_before = date_time_ymd(1970, 1, 1) + Duration::from_secs(from.as_secs());
    params.not_after = date_time_ymd(1970, 1, 1) + Duration::from_secs(ends.as_secs());
    Ok(params)
}

/// The roots of a bundle that have not ended.
fn still_held(bundle: &str) -> String {
    const END: &str = "-----END CERTIFICATE-----";
    let now = now();
    let roots = bundle.split_inclusive(END).filter(|root| {
        let read = TrustBundle::from_pem(root.as_bytes());
        read.is_ok_and(|read| read.lifetimes().iter().all(|life| life.until > now))
    });
    roots.map(|root| format!("{}\n", root.trim())).collect()
}

fn now() -> Duration {
    Clock.time_of_day().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[expect(clippy::needless_pass_by_value, reason = "`map_err` hands it over")]
fn made(error: rcgen::Error) -> Failure {
    Failure::bad_input(format!("the certificate cannot be made: {error}"))
}

fn unwritten(path: &Path, error: &std::io::Error) -> Failure {
    Failure::bad_input(format!("{} cannot be written: {error}", path.display()))
}
