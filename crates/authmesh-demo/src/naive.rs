//! The naive client: plain hyper, round robin, one second of patience, three immediate retries.
//!
//! What many programs do today. It knows all three addresses of each service, keeps connections, and
//! sends again whatever is no success, as a loop around raise-for-status does. It is not made worse
//! than that.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;

use crate::services::Kind;
use crate::wire::{Answer, Connections};

/// A client of every service.
pub(crate) struct Naive {
    services: Vec<(Kind, Instances)>,
}

struct Instances {
    connections: Vec<Connections>,
    next: AtomicUsize,
}

const PATIENCE: Duration = Duration::from_secs(1);
const RETRIES: u64 = 3;

impl Naive {
    pub(crate) fn new(instances: &[(Kind, SocketAddr)]) -> Self {
        let of = |kind| {
            let addresses = instances.iter().filter(|instance| instance.0 == kind);
            let connections = addresses.map(|(_, address)| Connections::to(*address)).collect();
            (kind, Instances { connections, next: AtomicUsize::new(0) })
        };
        Self { services: Kind::ALL.map(of).into() }
    }

    /// Sends a request to the next instance, and without success at once to the one after it.
    /// Returns the answer, if any, and how often it was sent.
    pub(crate) async fn send(
        &self,
        kind: Kind,
        request: Request<Full<Bytes>>,
    ) -> (Option<Answer>, u64) {
        let Some((_, service)) = self.services.iter().find(|service| service.0 == kind) else {
            return (None, 0);
        };
        let mut last = None;
        for attempt in 1..=1 + RETRIES {
            let turn = service.next.fetch_add(1, Ordering::Relaxed) % service.connections.len();
            let sending = service.connections[turn].exchange(request.clone());
            match tokio::time::timeout(PATIENCE, sending).await {
                Ok(Ok(answer)) if answer.is_success() => return (Some(answer), attempt),
                Ok(Ok(answer)) => last = Some(answer),
                Ok(Err(_)) | Err(_) => last = None,
            }
        }
        (last, 1 + RETRIES)
    }

    /// Closes every connection that is not in use.
    pub(crate) fn close(&self) {
        self.services
            .iter()
            .flat_map(|service| &service.1.connections)
            .for_each(Connections::close);
    }
}
