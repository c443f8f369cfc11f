//! What listeners serve TLS with.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::NoServerSessionStorage;
use rustls::version::{TLS12, TLS13};

use super::live::MeshIdentity;
use super::verifier::{ClientVerifier, Shown};

/// Whether clients prove who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clients {
    /// They are not asked.
    Unasked,
    /// They may.
    Asked,
    /// They must.
    Required,
}

impl MeshIdentity {
    /// What a listener serves TLS with. It follows the identity: a handshake uses what is in force
    /// when it begins.
    #[must_use]
    pub fn server_config(
        self: &Arc<Self>,
        clients: Clients,
        allow_tls12: bool,
    ) -> Arc<ServerConfig> {
        let versions: &[_] = if allow_tls12 { &[&TLS13, &TLS12] } else { &[&TLS13] };
        #[expect(clippy::expect_used, reason = "the provider has suites for both versions")]
        let builder = ServerConfig::builder_with_provider(Arc::clone(self.provider()))
            .with_protocol_versions(versions)
            .expect("suites for TLS 1.2 and 1.3");
        let builder = match clients {
            Clients::Unasked => builder.with_no_client_auth(),
            Clients::Asked => builder.with_client_cert_verifier(ClientVerifier::new(self, false)),
            Clients::Required => builder.with_client_cert_verifier(ClientVerifier::new(self, true)),
        };
        let mut config = builder.with_cert_resolver(Arc::new(Shown(Arc::clone(self))));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        if clients != Clients::Unasked {
            // A session that is taken up again would be believed without being verified again.
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
        Arc::new(config)
    }
}
