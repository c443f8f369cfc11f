//! Calls an instance that must prove who it is.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use authmesh_logic::Moment;
use authmesh_logic::config::Protocol;
use authmesh_logic::discovery::Address;
use authmesh_logic::identity::SpiffeId;
use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use rustls::version::TLS13;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::handshake::{HandshakeEnd, HandshakeFault, Side};
use super::live::MeshIdentity;
use super::trust::Role;
use super::verifier::{ServerVerifier, Shown, Wanted};
use crate::clock::Clock;

/// Who the instances of a service must prove to be.
///
/// | the service says | the instance is registered as | it must prove |
/// |---|---|---|
/// | – | – | nothing: it is called without TLS |
/// | A | – | A |
/// | – | B | B |
/// | A | A | A |
/// | A | B | both, so it gets nothing |
#[derive(Clone)]
pub(crate) struct Pins {
    identity: Arc<MeshIdentity>,
    service: Option<SpiffeId>,
    /// The pins made last: instances of one identity share what they are called with.
    made: Arc<Mutex<Vec<Pin>>>,
}

/// How many pins are kept to be shared; one more, and all are made anew for whoever comes.
const MOST_SHARED: usize = 64;

/// The identity that an instance must prove, and what it is called with.
#[derive(Clone)]
pub(crate) struct Pin {
    identity: Arc<MeshIdentity>,
    wanted: Wanted,
    http1: Arc<ClientConfig>,
    http2: Arc<ClientConfig>,
}

/// How long a connection is good for: until either side's proof ends, or the mesh believes others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Proof {
    until: Moment,
    belief: u64,
}

impl Pins {
    /// Those of a service that says this of all its instances.
    pub(crate) fn new(identity: &Arc<MeshIdentity>, service: Option<SpiffeId>) -> Self {
        Self { identity: Arc::clone(identity), service, made: Arc::default() }
    }

    /// What an instance registered under this identity is called with; without TLS if `None`.
    pub(crate) fn of(&self, registered: Option<&SpiffeId>) -> Option<Pin> {
        let id = self.service.as_ref().or(registered)?.clone();
        let also = registered.filter(|registered| **registered != id).cloned();
        let wanted = Wanted { id, also };
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pin) = made.iter().find(|pin| pin.wanted == wanted) {
            return Some(pin.clone());
        }
        let pin = Pin::new(&self.identity, wanted);
        if made.len() >= MOST_SHARED {
            made.clear();
        }
        made.push(pin.clone());
        Some(pin)
    }
}

impl Pin {
    /// What calls who is `wanted` and nobody else.
    fn new(identity: &Arc<MeshIdentity>, wanted: Wanted) -> Self {
        #[expect(clippy::expect_used, reason = "the provider has suites for this version")]
        let builder = ClientConfig::builder_with_provider(Arc::clone(identity.provider()))
            .with_protocol_versions(&[&TLS13])
            .expect("suites for TLS 1.3");
        let mut config = builder
            .dangerous()
            .with_custom_certificate_verifier(ServerVerifier::new(identity, wanted.clone()))
            .with_client_cert_resolver(Arc::new(Shown(Arc::clone(identity))));
        // A session that is taken up again would be believed without being verified again.
        config.resumption = Resumption::disabled();
        let speaking = |protocol: &[u8]| {
            let mut config = config.clone();
            config.alpn_protocols = vec![protocol.to_vec()];
            Arc::new(config)
        };
        let (http1, http2) = (speaking(b"http/1.1"), speaking(b"h2"));
        Self { identity: Arc::clone(identity), wanted, http1, http2 }
    }

    /// Lets the peer at the other end of `stream` prove itself. Without limit: the caller owns the
    /// clock.
    pub(crate) async fn secure<S>(
        &self,
        stream: S,
        address: &Address,
        protocol: Protocol,
    ) -> Result<(TlsStream<S>, Proof), HandshakeFault>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let belief = self.identity.belief();
        let secured = self.shake_hands(stream, address, protocol).await;
        let end = secured.as_ref().map_or_else(|fault| fault.end, |_| HandshakeEnd::Done);
        self.identity.count(Side::Outbound, end);
        let (stream, until) = secured?;
        Ok((stream, Proof { until, belief }))
    }

    /// Whether a connection made earlier is still good at `now`.
    pub(crate) fn still_holds(&self, proof: &Proof, now: Moment) -> bool {
        now < proof.until && proof.belief == self.identity.belief()
    }

    async fn shake_hands<S>(
        &self,
        stream: S,
        address: &Address,
        protocol: Protocol,
    ) -> Result<(TlsStream<S>, Moment), HandshakeFault>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let own = self.identity.own_end().ok_or_else(HandshakeFault::no_identity)?;
        let config = match protocol {
            Protocol::Http1 => &self.http1,
            Protocol::Http2 => &self.http2,
        };
        let stream = TlsConnector::from(Arc::clone(config))
            .connect(name_of(address), stream)
            .await
            .map_err(HandshakeFault::of)?;
        let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
        // The verifier has read the same certificate.
        let peer = self.identity.peer_of_handshake(chain, Role::Server);
        let peers = peer.map_or(Duration::ZERO, |peer| peer.lifetime.until);
        let until = peers.min(own);
        let left = until.saturating_sub(self.identity.now());
        Ok((stream, Clock.now() + left))
    }
}

/// What the server is called in the handshake. Its identity is pinned, so nothing depends on it.
fn name_of(address: &Address) -> ServerName<'static> {
    match address {
        Address::Tcp(address) => ServerName::IpAddress(address.ip().into()),
        Address::Unix(_) => ServerName::IpAddress(std::net::Ipv4Addr::LOCALHOST.into()),
    }
}

/// Two are the same when their services say the same, in the same mesh.
impl PartialEq for Pins {
    fn eq(&self, other: &Self) -> bool {
        self.service == other.service && Arc::ptr_eq(&self.identity, &other.identity)
    }
}

impl Eq for Pins {}

impl fmt::Debug for Pins {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Pins").field(&self.service).finish()
    }
}
