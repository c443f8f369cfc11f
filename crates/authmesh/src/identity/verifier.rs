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
pub(super) struct Verifier {
    pub(super) identity: Arc<MeshIdentity>,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
    pub(super) wanted: Wanted,
}

/// Whom a verifier lets through.
pub(super) enum Wanted {
    /// Any client that is believed, and those that show nothing if not `must`.
    Client { must: bool },
    /// This server and no other.
    Server(SpiffeId),
}

/// Shows the mesh's own certificate, whatever it is at the time of the handshake.
pub(super) struct Shown(pub(super) Arc<MeshIdentity>);

impl Verifier {
    fn verify(
        &self,
        leaf: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        role: Role,
    ) -> Result<Peer, Error> {
        let chain: Vec<_> = std::iter::once(leaf).chain(rest).cloned().collect();
        let domain = match &self.wanted {
            Wanted::Client { .. } => None,
            Wanted::Server(id) => Some(id.trust_domain()),
        };
        self.identity.verify(&chain, domain, role).ok_or_else(no_identity)?.map_err(refused)
    }
}

impl ClientCertVerifier for Verifier {
    fn client_auth_mandatory(&self) -> bool {
        !matches!(self.wanted, Wanted::Client { must: false })
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
        self.verify(leaf, rest, Role::Client).map(|_| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl ServerCertVerifier for Verifier {
    /// The name of the server is its SPIFFE ID; DNS names prove nothing here.
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let peer = self.verify(leaf, rest, Role::Server)?;
        match &self.wanted {
            Wanted::Server(id) if peer.id == *id => Ok(ServerCertVerified::assertion()),
            Wanted::Server(id) => Err(mismatched(id.clone(), peer.id)),
            Wanted::Client { .. } => Err(no_identity()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
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

impl fmt::Debug for Verifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Verifier")
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Shown")
    }
}
