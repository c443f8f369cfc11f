//! What a listener serves TLS with, and whether the mesh has what its mode needs.

use std::fmt;
use std::sync::Arc;

use authmesh::identity::{Clients, MeshIdentity};
use authmesh_logic::config::{MeshConfig, RegistryConfig, TlsMode};
use tokio_rustls::rustls::ServerConfig;

/// Why TLS cannot be served.
#[derive(Debug)]
#[non_exhaustive]
pub enum TlsError {
    /// A listener or the registry wants TLS and there is no `[identity]`.
    NoIdentity,
    /// A listener or the registry asks callers who they are and `[identity]` has no trust domain.
    NoTrust,
}

/// How a listener serves TLS.
pub(crate) struct ListenerTls {
    pub(super) identity: Arc<MeshIdentity>,
    pub(super) config: Arc<ServerConfig>,
    /// Whether connections without TLS are taken too.
    pub(super) takes_plaintext: bool,
}

impl ListenerTls {
    /// What a listener of this mode serves with; `None` if it serves without TLS.
    pub(crate) fn new(mode: TlsMode, identity: &Arc<MeshIdentity>) -> Option<Self> {
        let (clients, allow_tls12) = match mode {
            TlsMode::Plaintext => return None,
            TlsMode::Server { allow_tls12 } => (Clients::Unasked, allow_tls12),
            TlsMode::Mutual { allow_tls12 } => (Clients::Required, allow_tls12),
            TlsMode::Permissive { allow_tls12 } => (Clients::Asked, allow_tls12),
        };
        Some(Self {
            identity: Arc::clone(identity),
            config: identity.server_config(clients, allow_tls12),
            takes_plaintext: clients == Clients::Asked,
        })
    }

    /// What a door serves with: callers must prove who they are, and doors speak HTTP/1.1 alone.
    pub(crate) fn of_door(identity: &Arc<MeshIdentity>) -> Self {
        let mut config = ServerConfig::clone(&identity.server_config(Clients::Required, false));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let (identity, config) = (Arc::clone(identity), Arc::new(config));
        Self { identity, config, takes_plaintext: false }
    }
}

/// Whether the identity of a mesh has what its listeners and its registry need.
pub(crate) fn check(config: &MeshConfig) -> Result<(), TlsError> {
    let identity = config.security.identity.as_ref();
    let listeners = config.network.listeners.iter().map(|listener| listener.tls);
    let registry = match config.registry {
        RegistryConfig::Embedded { is_mutual: true, address: Some(_), .. } => {
            Some(TlsMode::Mutual { allow_tls12: false })
        }
        _ => None,
    };
    for mode in listeners.chain(registry) {
        match identity {
            _ if mode == TlsMode::Plaintext => {}
            None => return Err(TlsError::NoIdentity),
            Some(identity) if mode.asks_clients() && identity.trust.is_none() => {
                return Err(TlsError::NoTrust);
            }
            Some(_) => {}
        }
    }
    Ok(())
}

impl fmt::Display for TlsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NoIdentity => {
                "TLS is to be served and there is no `[identity]`; write its `cert` and `key`"
            }
            Self::NoTrust => {
                "callers are asked who they are and nobody is believed; write `trust_domain` and \
                 `bundle` of `[identity]`"
            }
        })
    }
}

impl std::error::Error for TlsError {}
