//! Takes certificates, keys and revocation lists out of PEM.

use std::fmt;

use rustls::pki_types::pem::{Error, PemObject, SectionKind};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};

/// Why a text in PEM is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PemFault {
    /// It is no PEM.
    NotPem,
    /// Nothing of the wanted kind is in it.
    Nothing,
    /// What is in it cannot be read.
    Malformed,
    /// A certificate in a bundle is no authority's.
    NotAnAuthority,
    /// The private key is encrypted.
    EncryptedKey,
}

/// Every certificate in a PEM text, in its order. Other sections are passed over.
///
/// # Errors
///
/// When it is no PEM or holds no certificate.
pub fn certificates_from_pem(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, PemFault> {
    all(pem)
}

/// Every revocation list in a PEM text.
pub(super) fn revocation_lists(
    pem: &[u8],
) -> Result<Vec<CertificateRevocationListDer<'static>>, PemFault> {
    all(pem)
}

/// The private key in a PEM text.
pub(super) fn private_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, PemFault> {
    const ENCRYPTED: &[u8] = b"-----BEGIN ENCRYPTED PRIVATE KEY-----";
    // The older form says it in a line below its first.
    const ENCRYPTED_OLD: &[u8] = b"Proc-Type: 4,ENCRYPTED";
    let has = |words: &[u8]| pem.windows(words.len()).any(|window| window == words);
    if has(ENCRYPTED) || has(ENCRYPTED_OLD) {
        return Err(PemFault::EncryptedKey);
    }
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| match error {
        Error::NoItemsFound => PemFault::Nothing,
        _ => PemFault::NotPem,
    })
}

fn all<T: PemObject>(pem: &[u8]) -> Result<Vec<T>, PemFault> {
    // Sections of other kinds are counted: a file of keys is PEM, and holds nothing of use.
    let mut found = Vec::new();
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(pem) {
        let (kind, der) = section.map_err(|_| PemFault::NotPem)?;
        found.extend(T::from_pem(kind, der));
    }
    if found.is_empty() { Err(PemFault::Nothing) } else { Ok(found) }
}

impl fmt::Display for PemFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NotPem => "it is no PEM",
            Self::Nothing => "nothing of the wanted kind is in it",
            Self::Malformed => "what is in it cannot be read",
            Self::NotAnAuthority => "a certificate in it is no authority's",
            Self::EncryptedKey => "the private key in it is encrypted",
        })
    }
}

impl std::error::Error for PemFault {}
