//! How each side sends a request, and how often it had to.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;

use crate::naive::Naive;
use crate::services::Kind;
use crate::side::Side;
use crate::wire::{Answer, Connections};

/// The client of one side.
pub(crate) enum Client {
    /// Sends everything to the mesh, once.
    Mesh(Connections),
    /// Finds its way itself.
    Naive(Naive),
}

/// How long somebody who trusts the mesh waits; the mesh gives an answer sooner.
const PATIENCE: Duration = Duration::from_secs(15);

impl Client {
    /// A client of the mesh that listens here.
    pub(crate) fn of_mesh(address: SocketAddr) -> Self {
        Self::Mesh(Connections::to(address))
    }

    pub(crate) const fn side(&self) -> Side {
        match self {
            Self::Mesh(_) => Side::Mesh,
            Self::Naive(_) => Side::Naive,
        }
    }

    /// Sends a request to a service. Returns the answer, if any, and how often it was sent from
    /// here: what is given to the mesh counts once, even if the mesh refuses it, and what the mesh
    /// sends again the mesh counts.
    pub(crate) async fn send(
        &self,
        kind: Kind,
        request: Request<Full<Bytes>>,
    ) -> (Option<Answer>, u64) {
        match self {
            Self::Mesh(door) => {
                let answer = tokio::time::timeout(PATIENCE, door.exchange(request)).await;
                (answer.ok().and_then(Result::ok), 1)
            }
            Self::Naive(naive) => naive.send(kind, request).await,
        }
    }

    /// Closes every connection that is not in use.
    pub(crate) fn close(&self) {
        match self {
            Self::Mesh(door) => door.close(),
            Self::Naive(naive) => naive.close(),
        }
    }
}
