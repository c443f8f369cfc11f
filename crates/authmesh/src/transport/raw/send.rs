//! Sends a request on a kept connection, or on a new one.

use std::pin::pin;

use super::super::idle::Idle;
use super::super::{Passage, Transport, Unanswered};
use super::answer::RawAnswer;
use super::connection::Connection;
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
        loop {
            let (mut connection, is_kept) = self.lend(transport, &passage).await?;
            let exchanged = {
                let Connection { stream, timer, .. } = &mut *connection;
                timer.bound(passage.end, pin!(Connection::exchange(stream, request))).await
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
