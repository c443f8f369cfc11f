//! The upstreams in turn, each with the connections that wait for their next request.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::{Request, Response};

use crate::address::Address;

/// Waiting connections to one upstream, the last used on top.
type Idle = Arc<Mutex<Vec<SendRequest<Incoming>>>>;

/// The upstreams of one thread.
pub(crate) struct Upstreams {
    all: Vec<(Address, Idle)>,
    next: AtomicUsize,
}

impl Upstreams {
    pub(crate) fn new(addresses: &[Address]) -> Self {
        let all = addresses.iter().map(|address| (address.clone(), Idle::default())).collect();
        Self { all, next: AtomicUsize::new(0) }
    }

    /// A connection to the next upstream: one that waits, or a new one.
    pub(crate) async fn lend(&self) -> Result<Lent> {
        let at = self.next.fetch_add(1, Ordering::Relaxed) % self.all.len();
        let (address, idle) = &self.all[at];
        loop {
            let waiting = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(mut sender) = waiting else { break };
            // It is ready as soon as its task has seen the end of the last answer.
            if sender.ready().await.is_ok() {
                return Ok(Lent { sender, idle: Arc::clone(idle) });
            }
        }
        // On the heap, as it happens rarely and every request would be made larger.
        let sender = Box::pin(address.connect()).await?;
        Ok(Lent { sender, idle: Arc::clone(idle) })
    }
}

/// A connection that carries one request.
pub(crate) struct Lent {
    sender: SendRequest<Incoming>,
    idle: Idle,
}

impl Lent {
    pub(crate) async fn send(&mut self, request: Request<Incoming>) -> Result<Response<Incoming>> {
        Ok(self.sender.send_request(request).await?)
    }

    /// Lets it wait for its next request.
    pub(crate) fn give_back(self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(self.sender);
    }
}
