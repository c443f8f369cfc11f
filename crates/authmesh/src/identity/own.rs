//! The mesh's own certificate and its key.

use std::sync::Arc;

use authmesh_logic::config::Code;
use authmesh_logic::identity::{Certificate, Lifetime};
use rustls::sign::CertifiedKey;
use rustls::{Error, crypto};

use super::fault::{IdentityFault, Part};
use super::pem::{PemFault, certificates_from_pem, private_key};

/// What this mesh proves itself with.
pub(crate) struct OwnCertificate {
    pub(super) certified: Arc<CertifiedKey>,
    pub(super) lifetime: Lifetime,
}

impl OwnCertificate {
    /// The certificate and the key that two PEM texts hold.
    pub(super) fn from_pem(cert: &[u8], key: &[u8]) -> Result<Self, IdentityFault> {
        let unusable =
            |sentence: &str| IdentityFault::new(Part::Cert, Code::CertificateUnreadable, sentence);
        let chain = certificates_from_pem(cert)
            .map_err(|_| unusable("the file holds no certificate in PEM"))?;
        let facts = Certificate::read(&chain[0])
            .map_err(|_| unusable("the first certificate of the file cannot be used"))?;
        let lifetime = facts.lifetime;
        let key = private_key(key).map_err(key_fault)?;
        let provider = crypto::aws_lc_rs::default_provider();
        let certified = CertifiedKey::from_der(chain, key, &provider);
        let certified = Arc::new(certified.map_err(|error| match error {
            Error::InconsistentKeys(_) => IdentityFault::new(
                Part::Key,
                Code::KeyMismatch,
                "the private key does not belong to the certificate",
            ),
            Error::InvalidCertificate(_) => {
                unusable("the first certificate of the file cannot be used")
            }
            _ => key_fault(PemFault::Malformed),
        })?);
        Ok(Self { certified, lifetime })
    }
}

fn key_fault(fault: PemFault) -> IdentityFault {
    match fault {
        PemFault::EncryptedKey => {
            let sentence = "the private key is encrypted, and nobody is there to type its password";
            IdentityFault::new(Part::Key, Code::KeyUnreadable, sentence)
                .help("openssl pkcs8 -topk8 -nocrypt -in encrypted.key -out plain.key")
        }
        _ => {
            let sentence = "the file holds no private key in PEM that can be used";
            IdentityFault::new(Part::Key, Code::KeyUnreadable, sentence)
        }
    }
}
