//! The authorities by which an issuer's server must prove itself.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};

use super::fetch_fault::FetchFault;
use crate::file_bytes::{FileFault, read_bounded};
use crate::identity::certificates_from_pem;

/// Where systems keep the authorities that they trust, in the order in which they are looked for.
const OF_THE_SYSTEM: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The longest file of authorities that is read, in bytes.
const LONGEST_FILE: u64 = 4 * 1024 * 1024;

/// What a connection is made with whose server must prove itself by the authorities in the file
/// `authorities`, or else by those of the system.
pub(super) fn client_config(authorities: Option<&str>) -> Result<ClientConfig, FetchFault> {
    let pem = match authorities {
        Some(path) => read_bounded(Path::new(path), LONGEST_FILE, false)
            .map_err(|fault| FetchFault::Unproved(format!("`{path}` {}", words(fault))))?,
        None => OF_THE_SYSTEM
            .iter()
            .find_map(|path| read_bounded(Path::new(path), LONGEST_FILE, false).ok())
            .ok_or_else(|| FetchFault::Unproved("this system has no file of authorities".into()))?,
    };
    let certificates = certificates_from_pem(&pem)
        .map_err(|_| FetchFault::Unproved("the file of authorities holds no certificate".into()))?;
    let mut roots = RootCertStore::empty();
    // One that is too old for rustls does not spoil the others.
    let (taken, _) = roots.add_parsable_certificates(certificates);
    if taken == 0 {
        return Err(FetchFault::Unproved("none of the authorities can be used".into()));
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| FetchFault::Unproved(error.to_string()))?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Why a file was not read, as a sentence goes on.
pub(super) fn words(fault: FileFault) -> String {
    match fault {
        FileFault::UsableByOthers(mode) => format!("can be used by others (mode {mode:04o})"),
        FileFault::TooLong => "is too long".to_owned(),
        FileFault::Unreadable(error) if error.kind() == io::ErrorKind::NotFound => {
            "is not there".to_owned()
        }
        FileFault::Unreadable(error) => format!("cannot be read: {error}"),
    }
}
