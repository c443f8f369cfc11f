//! HTTP/2 to one endpoint: one connection a lane, shared by all its requests.

use std::error::Error as StdError;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use authmesh_logic::Moment;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};

use super::connect::{Stream, connect};
use super::gathered::Gathered;
use super::{ConnectionPolicy, Lent, Transport, Unanswered, take, unasked_protocol};
use crate::error::BoxError;
use crate::identity::Proof;
use crate::request_body::RequestBody;

/// The connection of one lane, if there is one.
#[derive(Default)]
pub(super) struct Slot(Mutex<Option<Connection>>);

struct Connection {
    sender: SendRequest<RequestBody>,
    proof: Option<Proof>,
}

/// How often an endpoint is asked whether it is still there while requests wait.
const PING_INTERVAL: Duration = Duration::from_secs(10);
/// How long it may take to say so.
const PING_TIMEOUT: Duration = Duration::from_secs(5);

impl Slot {
    pub(super) async fn send(
        &self,
        transport: &Transport,
        policy: &ConnectionPolicy,
        now: Moment,
        request: &mut Request<RequestBody>,
    ) -> Result<(Response<Incoming>, Lent), Unanswered> {
        if let Some(sender) = self.current(transport, now) {
            match exchange(sender, request).await {
                Err(Unanswered::Returned(_)) => {}
                ended => return ended,
            }
        }
        // On the heap, as it happens rarely and every request would be made larger.
        match Box::pin(self.open(transport, policy)).await {
            Ok(sender) => exchange(sender, request).await,
            Err(error) => Err(Unanswered::Returned(error)),
        }
    }

    /// Lets go of the connection: it closes when its last request has ended.
    pub(super) fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Lets go of a connection whose proof has ended: it closes when its last request has.
    pub(super) fn sweep(&self, transport: &Transport, now: Moment) {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slot.take_if(|connection| !connection.is_good(transport, now));
    }

    fn current(&self, transport: &Transport, now: Moment) -> Option<SendRequest<RequestBody>> {
        let slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let good = slot.as_ref().filter(|connection| connection.is_good(transport, now));
        good.map(|connection| connection.sender.clone())
    }

    /// Connects and keeps the connection. Two requests that find none may both connect; the later
    /// connection is kept and the other ends with its request.
    async fn open(
        &self,
        transport: &Transport,
        policy: &ConnectionPolicy,
    ) -> Result<SendRequest<RequestBody>, BoxError> {
        let (stream, proof) = connect(transport, policy.connect_timeout).await?;
        let sender = begin(transport, stream).await?;
        let connection = Connection { sender: sender.clone(), proof };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
        Ok(sender)
    }
}

impl Connection {
    /// Whether it may carry a further request.
    fn is_good(&self, transport: &Transport, now: Moment) -> bool {
        !self.sender.is_closed() && transport.still_holds(self.proof.as_ref(), now)
    }
}

async fn begin(transport: &Transport, stream: Stream) -> hyper::Result<SendRequest<RequestBody>> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT);
    let (sender, connection) = builder.handshake(TokioIo::new(Gathered::new(stream))).await?;
    transport.open.drive(connection);
    Ok(sender)
}

async fn exchange(
    mut sender: SendRequest<RequestBody>,
    request: &mut Request<RequestBody>,
) -> Result<(Response<Incoming>, Lent), Unanswered> {
    if let Err(error) = sender.ready().await {
        return Err(Unanswered::Returned(error.into()));
    }
    match sender.try_send_request(take(request)).await {
        // There is no such answer in HTTP/2 (RFC 9113 §8.6).
        Ok(response) if response.status() == StatusCode::SWITCHING_PROTOCOLS => {
            Err(Unanswered::Lost(unasked_protocol()))
        }
        Ok(response) => Ok((response, Lent::Nothing)),
        Err(mut fault) => match fault.take_message() {
            Some(returned) => {
                *request = returned;
                Err(Unanswered::Returned(fault.into_error().into()))
            }
            None => {
                let error = fault.into_error();
                if says_unprocessed(&error) {
                    Err(Unanswered::Unprocessed(error.into()))
                } else {
                    Err(Unanswered::Lost(error.into()))
                }
            }
        },
    }
}

/// Whether the endpoint says it never began: `REFUSED_STREAM`, or a GOAWAY without error, which h2
/// hands only to the streams above the last one the endpoint names (RFC 9113 §6.8, §8.7). A GOAWAY
/// with an error reaches every stream of the connection and so proves nothing.
fn says_unprocessed(error: &hyper::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<h2::Error>() {
            let reason = error.reason();
            return error.is_remote()
                && ((error.is_reset() && reason == Some(h2::Reason::REFUSED_STREAM))
                    || (error.is_go_away() && reason == Some(h2::Reason::NO_ERROR)));
        }
        cause = error.source();
    }
    false
}
