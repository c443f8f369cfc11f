//! The unused connections of one lane: each carries one exchange at a time, the latest used first.

use std::future::{Future, poll_fn};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use authmesh_logic::Moment;

use super::{ConnectionPolicy, Passage, Transport, Unanswered};
use crate::error::BoxError;

/// The unused connections of one lane. Its lock is taken by that lane's worker and, now and then,
/// by the sweep.
pub(super) struct Idle<C>(Mutex<Vec<Unused<C>>>);

/// A connection that may carry one request after another.
pub(super) trait Reusable: Sized + Send {
    /// Makes one.
    fn open(
        transport: &Transport,
        policy: &ConnectionPolicy,
        now: Moment,
    ) -> impl Future<Output = Result<Self, BoxError>> + Send;

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
    /// The connection used last that is still good, or a new one; and whether it was kept.
    pub(super) async fn lend(
        &self,
        transport: &Transport,
        passage: &Passage,
    ) -> Result<(C, bool), Unanswered> {
        let Passage { connections: policy, now, end, .. } = passage;
        let kept = poll_fn(|context| Poll::Ready(self.pop(transport, policy, *now, context)));
        if let Some(kept) = kept.await {
            return Ok((kept, true));
        }
        // On the heap, as it happens rarely and every request would be made larger.
        let opening = Box::pin(C::open(transport, policy, *now));
        match tokio::time::timeout(end.since(*now), opening).await {
            Ok(Ok(connection)) => Ok((connection, false)),
            Ok(Err(error)) => Err(Unanswered::Returned(error)),
            Err(_) => Err(Unanswered::Late),
        }
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
