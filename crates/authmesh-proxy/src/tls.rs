//! The certificate this mesh proves itself with, as rustls wants it.

use std::fmt;
use std::sync::Arc;

use authmesh_logic::config::IdentityConfig;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{self, ServerConfig};

/// Why TLS cannot be served.
#[derive(Debug)]
pub enum TlsError {
    /// A listener wants TLS and there is no `[identity]`.
    NoIdentity,
    /// A file of the identity cannot be read.
    Unreadable {
        /// Which file.
        file: Box<str>,
        /// Why.
        cause: pem::Error,
    },
    /// Certificate and key do not go together, or are of no use.
    Unusable(rustls::Error),
}

/// What listeners that prove themselves serve with.
pub(crate) fn server_config(
    identity: Option<&IdentityConfig>,
    allow_tls12: bool,
) -> Result<Arc<ServerConfig>, TlsError> {
    let identity = identity.ok_or(TlsError::NoIdentity)?;
    let unreadable = |file: &str| {
        let file = file.into();
        move |cause| TlsError::Unreadable { file, cause }
    };
    let chain = CertificateDer::pem_file_iter(&*identity.cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(unreadable(&identity.cert))?;
    let key = PrivateKeyDer::from_pem_file(&*identity.key).map_err(unreadable(&identity.key))?;
    let versions: &[_] = if allow_tls12 { &[&TLS13, &TLS12] } else { &[&TLS13] };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(TlsError::Unusable)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(TlsError::Unusable)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

impl fmt::Display for TlsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoIdentity => formatter.write_str(
                "a listener serves TLS and there is no `[identity]`; write its `cert` and `key`",
            ),
            Self::Unreadable { file, cause } => write!(formatter, "cannot read {file}: {cause}"),
            Self::Unusable(cause) => write!(formatter, "`[identity]` is of no use: {cause}"),
        }
    }
}

impl std::error::Error for TlsError {}
