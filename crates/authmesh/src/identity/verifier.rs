//! Puts [`Trust`](super::trust::Trust) behind the verifiers of the TLS library.

use std::fmt;
use std::sync::Arc;

use authmesh_logic::identity::SpiffeId;
use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

use super::handshake::{mismatched, no_identity, refused};
use super::live::MeshIdentity;
use super::peer::Peer;
use super::trust::Role;

/// Verifies peers by what the mesh believes at the time of the handshake.
struct Verifier {
    identity: Arc<MeshIdentity>,
    algorithms: WebPkiSupportedAlgorithms,
}

/// Lets in any client that is believed, and those that show nothing if not `must`.
pub(super) struct ClientVerifier {
    verifier: Verifier,
    must: bool,
}

/// Lets through the server that has all of these identities: one, or nobody where they differ.
pub(super) struct ServerVerifier {
    verifier: Verifier,
    wanted: Wanted,
}

/// Who a server must prove to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) id: SpiffeId,
    /// Who else it must be.
    pub(super) also: Option<SpiffeId>,
}

/// Shows the mesh's own certificate, whatever it is at the time of the handshake.
pub(super) struct Shown(pub(super) Arc<MeshIdentity>);

impl Verifier {
    fn of(identity: &Arc<MeshIdentity>) -> Self {
        let algorithms = identity.provider().signature_verification_algorithms;
        Self { identity: Arc::clone(identity), algorithms }
    }

    fn verify(
        &self,
        leaf: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        domain: Option<&str>,
        role: Role,
    ) -> Result<Peer, Error> {
        let all = std::iter::once(leaf).chain(rest);
        let chain: Vec<_> = all.map(|certificate| CertificateDer::from(&**certificate)).collect();
        self.identity.verify(&chain, domain, role).ok_or_else(no_identity)?.map_err(refused)
    }
}

impl ClientVerifier {
    pub(super) fn new(identity: &Arc<MeshIdentity>, must: bool) -> Arc<Self> {
        Arc::new(Self { verifier: Verifier::of(identity), must })
    }
}

impl ServerVerifier {
    pub(super) fn new(identity: &Arc<MeshIdentity>, wanted: Wanted) -> Arc<Self> {
        Arc::new(Self { verifier: Verifier::of(identity), wanted })
    }
}

/// That a peer has the key of its certificate, which the library knows how to verify.
macro_rules! verify_possession {
    () => {
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            verify_tls12_signature(message, cert, signature, &self.verifier.algorithms)
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            verify_tls13_signature(message, cert, signature, &self.verifier.algorithms)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.verifier.algorithms.supported_schemes()
        }
    };
}

impl ClientCertVerifier for ClientVerifier {
    fn client_auth_mandatory(&self) -> bool {
        self.must
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        // Roots are exchanged while the mesh runs; a client shows the one certificate it has.
        &[]
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.verifier.verify(leaf, rest, None, Role::Client);
        verified.map(|_| ClientCertVerified::assertion())
    }

    verify_possession!();
}

impl ServerCertVerifier for ServerVerifier {
    /// The name of the server is its SPIFFE ID; DNS names prove nothing here.
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Wanted { id, also } = &self.wanted;
        let domain = Some(id.trust_domain());
        let peer = self.verifier.verify(leaf, rest, domain, Role::Server)?;
        match std::iter::once(id).chain(also).find(|wanted| **wanted != peer.id) {
            None => Ok(ServerCertVerified::assertion()),
            Some(wanted) => Err(mismatched(wanted.clone(), peer.id)),
        }
    }

    verify_possession!();
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.shown()
    }
}

impl ResolvesClientCert for Shown {
    fn resolve(&self, _roots: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.shown()
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl fmt::Debug for ClientVerifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ClientVerifier")
    }
}

impl fmt::Debug for ServerVerifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("ServerVerifier").field(&self.wanted).finish()
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Shown")
    }
}
