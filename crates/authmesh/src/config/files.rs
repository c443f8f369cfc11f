//! Looks at the files a configuration speaks of: secrets, the certificate and its key.

use std::path::Path;

use authmesh_logic::config::{Code, IdentityConfig, MeshConfig, Outside, Problem, Span};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};

use super::secret::{self, Secret, SecretError};

/// What is wrong with the files on this machine.
pub(super) fn problems(config: &MeshConfig, outside: &Outside) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (reference, span) in &outside.secrets {
        if let Err(error) = Secret::fetch(reference) {
            problems.push(secret_problem(&error, *span));
        }
    }
    if let (Some(identity), Some(places)) = (&config.security.identity, outside.identity) {
        problems.extend(identity_problem(identity, places));
    }
    problems
}

fn secret_problem(error: &SecretError, span: Span) -> Problem {
    let problem = Problem::new(error.code(), span, error.to_string());
    match error {
        SecretError::ReadableByOthers(_) => problem.help("chmod 600 the file"),
        _ => problem,
    }
}

fn identity_problem(identity: &IdentityConfig, (cert, key): (Span, Span)) -> Option<Problem> {
    let chain = match certificates(Path::new(&*identity.cert)) {
        Ok(chain) => chain,
        Err((code, sentence)) => return Some(Problem::new(code, cert, sentence)),
    };
    let pem = match secret::read(Path::new(&*identity.key), true) {
        Ok(pem) => pem,
        Err(SecretError::ReadableByOthers(mode)) => {
            let sentence =
                format!("others than its owner can use the private key (mode {mode:04o})");
            let help = format!("chmod 600 {}", identity.key);
            return Some(Problem::new(Code::KeyReadable, key, sentence).help(help));
        }
        Err(SecretError::Unreadable(error)) => {
            let sentence = format!("the private key cannot be read: {error}");
            return Some(Problem::new(Code::NoSuchFile, key, sentence));
        }
        Err(_) => return Some(key_unreadable(key)),
    };
    let signing = PrivateKeyDer::from_pem_slice(&pem)
        .ok()
        .and_then(|der| rustls::crypto::aws_lc_rs::sign::any_supported_type(&der).ok());
    let Some(signing) = signing else { return Some(key_unreadable(key)) };
    match CertifiedKey::new(chain, signing).keys_match() {
        // A key that does not tell its public half cannot be compared.
        Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => None,
        Err(Error::InconsistentKeys(_)) => Some(
            Problem::new(
                Code::KeyMismatch,
                key,
                "the private key does not belong to the certificate",
            )
            .again(cert, "the certificate"),
        ),
        Err(_) => {
            let sentence = "the first certificate of the file cannot be used";
            Some(Problem::new(Code::CertificateUnreadable, cert, sentence))
        }
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, (Code, String)> {
    let pem = secret::read(path, false).map_err(|error| match error {
        SecretError::Unreadable(error) => {
            (Code::NoSuchFile, format!("the certificate cannot be read: {error}"))
        }
        _ => (Code::CertificateUnreadable, "the file is too long for a certificate".to_owned()),
    })?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        _ => Err((Code::CertificateUnreadable, "the file holds no certificate in PEM".to_owned())),
    }
}

fn key_unreadable(span: Span) -> Problem {
    let sentence = "the file holds no private key in PEM that can be used";
    Problem::new(Code::KeyUnreadable, span, sentence)
}
