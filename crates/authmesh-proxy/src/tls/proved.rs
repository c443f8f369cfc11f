//! Who a connection proved to be, and for how long that is believed.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use authmesh::identity::{MeshIdentity, Peer, Role, SpiffeId};
use tokio::sync::watch;
use tokio_rustls::rustls::pki_types::CertificateDer;

/// What a handshake proved.
pub(crate) struct Proved {
    identity: Arc<MeshIdentity>,
    caller: Option<Peer>,
    /// Changes when whom the mesh believes does.
    beliefs: watch::Receiver<u64>,
    /// When the certificate that this mesh showed ends, in time since 1970.
    own_end: Option<Duration>,
}

impl Proved {
    /// What a handshake proved in which the caller showed `chain`. `beliefs` is from before it.
    pub(super) fn new(
        identity: &Arc<MeshIdentity>,
        beliefs: watch::Receiver<u64>,
        own_end: Option<Duration>,
        chain: Option<&[CertificateDer<'_>]>,
    ) -> Self {
        let caller = chain.and_then(|chain| identity.peer_of_handshake(chain, Role::Client));
        Self { identity: Arc::clone(identity), caller, beliefs, own_end }
    }

    /// Who calls, if the caller proved it.
    pub(crate) fn id(&self) -> Option<&SpiffeId> {
        self.caller.as_ref().map(|peer| &peer.id)
    }

    /// Waits until the proof is over, which nothing proved never is.
    pub(crate) async fn end_of(proved: Option<&Self>) {
        match proved {
            Some(proved) => proved.ends().await,
            None => pending().await,
        }
    }

    /// Waits until either side's certificate ends, or the mesh no longer believes the caller.
    async fn ends(&self) {
        let ends = [self.own_end, self.caller.as_ref().map(|peer| peer.lifetime.until)];
        let over = async {
            match ends.into_iter().flatten().min() {
                Some(end) => {
                    let left = end.saturating_sub(self.identity.now());
                    tokio::time::sleep(left).await;
                }
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
