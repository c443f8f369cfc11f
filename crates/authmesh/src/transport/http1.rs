//! HTTP/1.1 to one endpoint: one exchange at a time on each connection, the latest used first.

use std::sync::{Mutex, PoisonError};

use authmesh_logic::Moment;
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use hyper::client::conn::http1::{self, SendRequest};

use super::connect::{Stream, connect};
use super::{ConnectionPolicy, Lent, Sent, Transport, unasked_protocol};
use crate::error::BoxError;
use crate::request_body::RequestBody;

/// One connection, not in use.
pub(crate) struct Connection {
    sender: SendRequest<RequestBody>,
    born: Moment,
    used: Moment,
}

/// The unused connections of one lane. Its lock is taken by that lane's worker and, now and then,
/// by the sweep.
#[derive(Default)]
pub(super) struct Pool(Mutex<Vec<Connection>>);

impl Pool {
    /// Sends on a kept connection, or on a new one. A kept connection that turns out to be closed
    /// hands the request back and the next is tried: the endpoint did nothing wrong.
    pub(super) async fn send(
        &self,
        transport: &Transport,
        policy: &ConnectionPolicy,
        now: Moment,
        mut request: Request<RequestBody>,
    ) -> Sent {
        while let Some(connection) = self.take(policy, now) {
            request = match exchange(connection, request).await {
                Sent::Returned(request, _) => request,
                ended => return ended,
            };
        }
        match open(transport, policy, now).await {
            Ok(connection) => exchange(connection, request).await,
            Err(error) => Sent::Returned(request, error),
        }
    }

    pub(super) fn keep(&self, policy: &ConnectionPolicy, now: Moment, mut connection: Connection) {
        if connection.sender.is_closed() || now.since(connection.born) >= policy.oldest {
            return;
        }
        connection.used = now;
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < policy.most_idle {
            idle.push(connection);
        }
    }

    pub(super) fn sweep(&self, policy: &ConnectionPolicy, now: Moment) {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|connection| {
            !connection.sender.is_closed() && now.since(connection.used) < policy.keep_alive
        });
    }

    fn take(&self, policy: &ConnectionPolicy, now: Moment) -> Option<Connection> {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(connection) = idle.pop() {
            if !connection.sender.is_closed() && now.since(connection.used) < policy.keep_alive {
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
) -> Result<Connection, BoxError> {
    let sender = match connect(&transport.address, policy.connect_timeout).await? {
        Stream::Tcp(stream) => {
            let (sender, connection) = http1::handshake(stream).await?;
            transport.open.drive(connection.with_upgrades());
            sender
        }
        Stream::Unix(stream) => {
            let (sender, connection) = http1::handshake(stream).await?;
            transport.open.drive(connection.with_upgrades());
            sender
        }
    };
    Ok(Connection { sender, born: now, used: now })
}

async fn exchange(mut connection: Connection, request: Request<RequestBody>) -> Sent {
    if let Err(error) = connection.sender.ready().await {
        return Sent::Returned(request, error.into());
    }
    let asked = request.headers().get(header::UPGRADE).cloned();
    match connection.sender.try_send_request(request).await {
        Ok(response)
            if response.status() == StatusCode::SWITCHING_PROTOCOLS
                && !grants(asked.as_ref(), response.headers()) =>
        {
            Sent::Lost(unasked_protocol())
        }
        Ok(response) => Sent::Answered(response, Lent::Http1(connection)),
        Err(mut fault) => match fault.take_message() {
            Some(request) => Sent::Returned(request, fault.into_error().into()),
            None => Sent::Lost(fault.into_error().into()),
        },
    }
}

/// Whether an answer changes to the protocol that was asked for (RFC 9110 §7.8).
fn grants(asked: Option<&HeaderValue>, headers: &HeaderMap) -> bool {
    asked
        .zip(headers.get(header::UPGRADE))
        .is_some_and(|(asked, granted)| asked.as_bytes().eq_ignore_ascii_case(granted.as_bytes()))
}
