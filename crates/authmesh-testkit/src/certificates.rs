//! Makes certificates for tests: an authority of a trust domain, and what it issues.

use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use authmesh::worker::Clock;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName,
    DnType, Error, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    RevokedCertParams, SanType, SerialNumber, date_time_ymd,
};

/// How long what is issued holds, when nothing else is said.
const LIFE: Duration = Duration::from_secs(3_600);

/// An authority that vouches for the workloads of one trust domain.
pub struct Authority {
    domain: String,
    issuer: Issuer<'static, KeyPair>,
    /// Its own certificate, PEM: the bundle of the domain.
    pub bundle: String,
    /// What is shown between a workload's certificate and the bundle, PEM.
    above: String,
}

/// A certificate and its key.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The chain, PEM, its own certificate first.
    pub cert: String,
    /// The private key, PEM.
    pub key: String,
}

impl Authority {
    /// The root of a trust domain, valid for a day.
    ///
    /// # Errors
    ///
    /// When the domain cannot stand in a certificate.
    pub fn of(domain: &str) -> Result<Self, Error> {
        Self::of_for(domain, 24 * LIFE)
    }

    /// The same for a root that ends after `life`.
    ///
    /// # Errors
    ///
    /// When the domain cannot stand in a certificate.
    pub fn of_for(domain: &str, life: Duration) -> Result<Self, Error> {
        let key = KeyPair::generate()?;
        let params = authority_params(domain, life)?;
        let bundle = params.self_signed(&key)?.pem();
        let issuer = Issuer::new(params, key);
        Ok(Self { domain: domain.to_owned(), issuer, bundle, above: String::new() })
    }

    /// An authority below this one, which says that it is of the trust domain `domain`.
    ///
    /// # Errors
    ///
    /// When the domain cannot stand in a certificate.
    pub fn below(&self, domain: &str) -> Result<Self, Error> {
        let key = KeyPair::generate()?;
        let mut params = authority_params(domain, 12 * LIFE)?;
        params.distinguished_name.push(DnType::CommonName, format!("{domain} below"));
        let above = params.signed_by(&key, &self.issuer)?.pem() + &self.above;
        let (domain, bundle) = (self.domain.clone(), self.bundle.clone());
        Ok(Self { domain, issuer: Issuer::new(params, key), bundle, above })
    }

    /// A certificate of the workload with this path, valid for an hour.
    ///
    /// # Errors
    ///
    /// When the path cannot stand in a certificate.
    pub fn issue(&self, path: &str) -> Result<Issued, Error> {
        self.issue_as(path, |_| {})
    }

    /// The same for a certificate that ends after `life`.
    ///
    /// # Errors
    ///
    /// When the path cannot stand in a certificate.
    pub fn issue_for(&self, path: &str, life: Duration) -> Result<Issued, Error> {
        self.issue_as(path, |params| {
            params.not_after = date_time_ymd(1970, 1, 1) + now() + life;
        })
    }

    /// The same for a certificate that is otherwise as `change` makes it.
    ///
    /// # Errors
    ///
    /// When something in it cannot stand in a certificate.
    pub fn issue_as(
        &self,
        path: &str,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Result<Issued, Error> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "authmesh test");
        let id = format!("spiffe://{}{path}", self.domain);
        params.subject_alt_names = vec![SanType::URI(id.try_into()?)];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let moment = date_time_ymd(1970, 1, 1) + now();
        (params.not_before, params.not_after) = (moment - Duration::from_secs(60), moment + LIFE);
        change(&mut params);
        let cert = params.signed_by(&key, &self.issuer)?.pem() + &self.above;
        Ok(Issued { cert, key: key.serialize_pem() })
    }

    /// A revocation list that names these serial numbers and ends after `life`, PEM.
    ///
    /// # Errors
    ///
    /// When a list cannot be made.
    pub fn revoke(&self, serials: &[u64], life: Duration) -> Result<String, Error> {
        let moment = date_time_ymd(1970, 1, 1) + now();
        let revoked = |serial: &u64| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: moment - Duration::from_secs(60),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: moment - Duration::from_secs(120),
            next_update: moment - Duration::from_secs(60) + life,
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer)?.pem()
    }
}

impl Issued {
    /// Writes `NAME.pem` and `NAME.key` into `folder`, the key closed to others. Each file is
    /// replaced whole, by its name.
    ///
    /// # Errors
    ///
    /// When a file cannot be written.
    pub fn write(&self, folder: &Path, name: &str) -> std::io::Result<()> {
        write_closed(folder, &format!("{name}.key"), &self.key)?;
        write_closed(folder, &format!("{name}.pem"), &self.cert)
    }
}

/// Writes a file that only its owner may use, replacing it whole.
///
/// # Errors
///
/// When it cannot be written.
pub fn write_closed(folder: &Path, name: &str, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let (new, file) = (folder.join(format!("{name}.new")), folder.join(name));
    std::fs::write(&new, text)?;
    std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o600))?;
    std::fs::rename(new, file)
}

fn authority_params(domain: &str, life: Duration) -> Result<CertificateParams, Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, format!("{domain} root"));
    params.subject_alt_names = vec![SanType::URI(format!("spiffe://{domain}").try_into()?)];
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let moment = date_time_ymd(1970, 1, 1) + now();
    (params.not_before, params.not_after) = (moment - Duration::from_secs(3_600), moment + life);
    Ok(params)
}

fn now() -> Duration {
    Clock.time_of_day().duration_since(UNIX_EPOCH).unwrap_or_default()
}
