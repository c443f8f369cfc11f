//! Sends a request on a kept connection, or on a new one.

use std::pin::pin;

use authmesh_logic::Moment;

use super::super::connect::connect;
use super::super::exchange_timer::ExchangeTimer;
use super::super::idle::Idle;
use super::super::{ConnectionPolicy, Passage, Transport, Unanswered};
use super::answer::RawAnswer;
use super::connection::Connection;
use crate::error::BoxError;
use crate::raw_request::RawRequest;

impl Idle<Box<Connection>> {
    /// Sends on a kept connection, or on a new one. A kept connection that turns out to be closed
    /// before a byte went out is let go and the next is tried: the endpoint did nothing wrong.
    pub(in crate::transport) async fn send(
        &self,
        transport: &Transport,
        passage: Passage,
        request: &RawRequest,
    ) -> Result<RawAnswer, Unanswered> {
        let Passage { connections: policy, now, end, .. } = &passage;
        let (now, end) = (*now, *end);
        loop {
            let kept = self.take(transport, policy, now).await;
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
        _place: transport.open_place(),
    }))
}
