//! Who a connection proved to be, and for how long that is believed.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use authmesh::identity::{MeshIdentity, Peer, Role, SpiffeId};
use authmesh::worker::Clock;
use authmesh_logic::Moment;
use http::HeaderValue;
use tokio::sync::watch;
use tokio_rustls::rustls::pki_types::CertificateDer;

/// What a handshake proved.
pub(crate) struct Proved {
    identity: Arc<MeshIdentity>,
    caller: Option<Peer>,
    /// The caller's name as it is told to services, made once for all requests.
    field: Option<HeaderValue>,
    /// Changes when whom the mesh believes does.
    beliefs: watch::Receiver<u64>,
    /// When the first of both sides' certificates ends.
    until: Option<Moment>,
}

impl Proved {
    /// What a handshake proved in which the caller showed `chain`, and this mesh a certificate that
    /// ends at `own_end` (time since 1970). `beliefs` is from before it.
    pub(super) fn new(
        identity: &Arc<MeshIdentity>,
        beliefs: watch::Receiver<u64>,
        own_end: Option<Duration>,
        chain: Option<&[CertificateDer<'_>]>,
    ) -> Self {
        let caller = chain.and_then(|chain| identity.peer_of_handshake(chain, Role::Client));
        let name = caller.as_ref().map(|peer| peer.id.as_str());
        let field = name.and_then(|name| HeaderValue::from_str(name).ok());
        let ends = [own_end, caller.as_ref().map(|peer| peer.lifetime.until)];
        let left = ends.into_iter().flatten().min().map(|end| end.saturating_sub(identity.now()));
        let until = left.map(|left| Clock.now() + left);
        Self { identity: Arc::clone(identity), caller, field, beliefs, until }
    }

    /// Who calls, if the caller proved it.
    pub(crate) fn id(&self) -> Option<&SpiffeId> {
        self.caller.as_ref().map(|peer| &peer.id)
    }

    /// Its name as a field of a request.
    pub(crate) fn field(&self) -> Option<&HeaderValue> {
        self.field.as_ref()
    }

    /// Whether the proof may be over; cheaper than to wait for it again.
    pub(crate) fn may_be_over(&self) -> bool {
        // A timer that was set by the same clock has not rung before this says so.
        let is_past = || self.until.is_some_and(|until| until <= Clock.now());
        !matches!(self.beliefs.has_changed(), Ok(false)) || is_past()
    }

    /// Waits until the proof is over, which nothing proved never is.
    pub(crate) async fn end_of(proved: Option<&Self>) {
        match proved {
            Some(proved) => proved.ends().await,
            None => pending().await,
        }
    }

    /// Waits until either side's certificate ends, or the mesh no longer believes the caller.
    pub(crate) async fn ends(&self) {
        let over = async {
            match self.until {
                Some(until) => tokio::time::sleep(until.since(Clock.now())).await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = over => {}
            () = self.is_disbelieved() => {}
        }
    }

    async fn is_disbelieved(&self) {
        let Some(peer) = &self.caller else { return pending().await };
        let mut beliefs = self.beliefs.clone();
        while beliefs.changed().await.is_ok() {
            if !self.identity.still_believes(peer) {
                tracing::info!(caller = %peer.id, "a caller is no longer believed");
                return;
            }
        }
        pending::<()>().await;
    }
}
