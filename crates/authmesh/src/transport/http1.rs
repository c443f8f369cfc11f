//! HTTP/1.1 to one endpoint, through the HTTP library.

use std::pin::pin;
use std::task::Context;

use authmesh_logic::Moment;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;

use super::connect::connect;
use super::exchange_timer::ExchangeTimer;
use super::gathered::Gathered;
use super::idle::{Idle, Reusable};
use super::{ConnectionPolicy, Lent, Passage, Transport, Unanswered, take, unasked_protocol};
use crate::error::BoxError;
use crate::identity::Proof;
use crate::request_body::RequestBody;

/// One connection, not in use.
pub(crate) struct Connection {
    sender: SendRequest<RequestBody>,
    /// On the heap, so that connections without one are not larger for it.
    proof: Option<Box<Proof>>,
    born: Moment,
    timer: ExchangeTimer,
}

impl Idle<Connection> {
    /// Sends on a kept connection, or on a new one. A kept connection that turns out to be closed
    /// hands the request back and the next is tried: the endpoint did nothing wrong.
    pub(super) async fn send(
        &self,
        transport: &Transport,
        passage: &Passage,
        request: &mut Request<RequestBody>,
    ) -> Result<(Response<Incoming>, Lent), Unanswered> {
        loop {
            let (mut connection, is_kept) = self.lend(transport, passage).await?;
            let exchanged = {
                let Connection { sender, timer, .. } = &mut connection;
                timer.bound(passage.end, pin!(exchange(sender, request))).await
            };
            match exchanged {
                Some(Err(Unanswered::Returned(_))) if is_kept => {}
                Some(sent) => return sent.map(|response| (response, Lent::Http1(connection))),
                None => return Err(Unanswered::Late),
            }
        }
    }
}

impl Reusable for Connection {
    async fn open(
        transport: &Transport,
        policy: &ConnectionPolicy,
        now: Moment,
    ) -> Result<Self, BoxError> {
        let (stream, proof) = connect(transport, policy.connect_timeout).await?;
        let (sender, connection) = http1::handshake(TokioIo::new(Gathered::new(stream))).await?;
        transport.open.drive(connection.with_upgrades());
        let proof = proof.map(Box::new);
        Ok(Self { sender, proof, born: now, timer: ExchangeTimer::default() })
    }

    fn born(&self) -> Moment {
        self.born
    }

    fn is_good(&mut self, transport: &Transport, now: Moment, _: &mut Context<'_>) -> bool {
        !self.sender.is_closed() && transport.still_holds(self.proof.as_deref(), now)
    }
}

async fn exchange(
    sender: &mut SendRequest<RequestBody>,
    request: &mut Request<RequestBody>,
) -> Result<Response<Incoming>, Unanswered> {
    if let Err(error) = sender.ready().await {
        return Err(Unanswered::Returned(error.into()));
    }
    let asked = request.headers().get(header::UPGRADE).cloned();
    match sender.try_send_request(take(request)).await {
        Ok(response)
            if response.status() == StatusCode::SWITCHING_PROTOCOLS
                && !grants(asked.as_ref(), response.headers()) =>
        {
            Err(Unanswered::Lost(unasked_protocol()))
        }
        Ok(response) => Ok(response),
        Err(mut fault) => match fault.take_message() {
            Some(returned) => {
                *request = returned;
                Err(Unanswered::Returned(fault.into_error().into()))
            }
            None => Err(Unanswered::Lost(fault.into_error().into())),
        },
    }
}

/// Whether an answer changes to the protocol that was asked for (RFC 9110 §7.8).
fn grants(asked: Option<&HeaderValue>, headers: &HeaderMap) -> bool {
    asked
        .zip(headers.get(header::UPGRADE))
        .is_some_and(|(asked, granted)| asked.as_bytes().eq_ignore_ascii_case(granted.as_bytes()))
}
