//! The unused connections of one lane: one exchange at a time on each, the latest used first.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use authmesh_logic::Moment;

use super::super::connect::connect;
use super::super::exchange_timer::ExchangeTimer;
use super::super::{ConnectionPolicy, Passage, Transport, Unanswered};
use super::answer::RawAnswer;
use super::connection::Connection;
use crate::error::BoxError;
use crate::raw_request::RawRequest;

/// The unused connections of one lane. Its lock is taken by that lane's worker and, now and then,
/// by the sweep.
#[derive(Default)]
#[expect(clippy::vec_box, reason = "a connection moves from here to its answer and back")]
pub(crate) struct Pool(Mutex<Vec<Box<Connection>>>);

impl Pool {
    /// Sends on a kept connection, or on a new one. A kept connection that turns out to be closed
    /// before a byte went out is let go and the next is tried: the endpoint did nothing wrong.
    pub(crate) async fn send(
        &self,
        transport: &Transport,
        passage: Passage,
        request: &RawRequest,
    ) -> Result<RawAnswer, Unanswered> {
        let Passage { connections: policy, now, end, .. } = &passage;
        let (now, end) = (*now, *end);
        loop {
            let kept = poll_fn(|context| Poll::Ready(self.take(transport, policy, now, context)));
            let kept = kept.await;
            let is_kept = kept.is_some();
            let mut connection = match kept {
                Some(connection) => connection,
                None => {
                    // On the heap, as it happens rarely and every request would be made larger.
                    let opening = Box::pin(open(transport, policy, now));
                    match tokio::time::timeout(end.since(now), opening).await {
                        Ok(Ok(connection)) => connection,
                        Ok(Err(error)) => return Err(Unanswered::Returned(error)),
                        Err(_) => return Err(Unanswered::Late),
                    }
                }
            };
            let exchanged = {
                let Connection { stream, timer, .. } = &mut *connection;
                timer.bound(end, pin!(Connection::exchange(stream, request))).await
            };
            match exchanged {
                Some(Err(Unanswered::Returned(_))) if is_kept => {}
                Some(exchanged) => {
                    let answer = RawAnswer::of(exchanged?, connection, request.is_head());
                    let endless = || Unanswered::Lost("nothing tells where the answer ends".into());
                    return answer.ok_or_else(endless);
                }
                None => return Err(Unanswered::Late),
            }
        }
    }

    pub(crate) fn keep(
        &self,
        policy: &ConnectionPolicy,
        now: Moment,
        mut connection: Box<Connection>,
    ) {
        if now.since(connection.born) >= policy.oldest {
            return;
        }
        connection.used = now;
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < policy.most_idle {
            idle.push(connection);
        }
    }

    /// Closes all.
    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Closes what has been unused for too long, or was closed by its endpoint.
    pub(crate) fn sweep(&self, transport: &Transport, policy: &ConnectionPolicy, now: Moment) {
        let mut nobody = Context::from_waker(Waker::noop());
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain_mut(|connection| {
            now.since(connection.used) < policy.keep_alive
                && connection.is_good(transport, now, &mut nobody)
        });
    }

    fn take(
        &self,
        transport: &Transport,
        policy: &ConnectionPolicy,
        now: Moment,
        context: &mut Context<'_>,
    ) -> Option<Box<Connection>> {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(mut connection) = idle.pop() {
            let is_fresh = now.since(connection.used) < policy.keep_alive;
            if is_fresh && connection.is_good(transport, now, context) {
                return Some(connection);
            }
        }
        None
    }
}

async fn open(
    transport: &Transport,
    policy: &ConnectionPolicy,
    now: Moment,
) -> Result<Box<Connection>, BoxError> {
    let (stream, proof) = connect(transport, policy.connect_timeout).await?;
    Ok(Box::new(Connection {
        stream,
        timer: ExchangeTimer::default(),
        proof,
        born: now,
        used: now,
        _place: transport.open_place(),
    }))
}
