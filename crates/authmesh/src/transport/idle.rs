//! The unused connections of one lane: each carries one exchange at a time, the latest used first.

use std::future::poll_fn;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use authmesh_logic::Moment;

use super::{ConnectionPolicy, Transport};

/// The unused connections of one lane. Its lock is taken by that lane's worker and, now and then,
/// by the sweep.
pub(super) struct Idle<C>(Mutex<Vec<Unused<C>>>);

/// A connection that may carry one request after another.
pub(super) trait Reusable {
    /// When it was made.
    fn born(&self) -> Moment;

    /// Whether it may carry a further request: its endpoint has not closed it, and its proof holds.
    fn is_good(&mut self, transport: &Transport, now: Moment, context: &mut Context<'_>) -> bool;
}

struct Unused<C> {
    connection: C,
    since: Moment,
}

impl<C> Default for Idle<C> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<C: Reusable> Idle<C> {
    /// The connection used last that is still good. Never waits.
    pub(super) async fn take(
        &self,
        transport: &Transport,
        policy: &ConnectionPolicy,
        now: Moment,
    ) -> Option<C> {
        poll_fn(|context| Poll::Ready(self.pop(transport, policy, now, context))).await
    }

    /// Keeps a connection whose exchange has ended well, if it is not too old and there is room.
    pub(super) fn keep(&self, policy: &ConnectionPolicy, now: Moment, connection: C) {
        if now.since(connection.born()) >= policy.oldest {
            return;
        }
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < policy.most_idle {
            idle.push(Unused { connection, since: now });
        }
    }

    /// Closes what has been unused for too long, or is no longer good.
    pub(super) fn sweep(&self, transport: &Transport, policy: &ConnectionPolicy, now: Moment) {
        let mut nobody = Context::from_waker(Waker::noop());
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain_mut(|unused| unused.may_be_lent(transport, policy, now, &mut nobody));
    }

    /// Closes all.
    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn pop(
        &self,
        transport: &Transport,
        policy: &ConnectionPolicy,
        now: Moment,
        context: &mut Context<'_>,
    ) -> Option<C> {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(mut unused) = idle.pop() {
            if unused.may_be_lent(transport, policy, now, context) {
                return Some(unused.connection);
            }
        }
        None
    }
}

impl<C: Reusable> Unused<C> {
    fn may_be_lent(
        &mut self,
        transport: &Transport,
        policy: &ConnectionPolicy,
        now: Moment,
        context: &mut Context<'_>,
    ) -> bool {
        now.since(self.since) < policy.keep_alive
            && self.connection.is_good(transport, now, context)
    }
}
