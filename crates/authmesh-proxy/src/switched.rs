//! A client's connection that goes on as WebSocket: who asks for it, and what is carried then.

use std::io;
use std::time::Duration;

use authmesh::worker::Tunnel;
use authmesh_logic::hygiene::{WEBSOCKET, asks_for_websocket};
use http::{HeaderMap, HeaderValue, Request, header};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;

use crate::fields::{HeaderFields, head_of};
use crate::judged::Judged;
use crate::serving::Serving;

/// A client that asks to go on as WebSocket.
pub(crate) struct Asking {
    client: OnUpgrade,
    judged: Judged,
}

/// A client and an endpoint that go on as WebSocket.
pub(crate) struct Switched {
    client: OnUpgrade,
    tunnel: Tunnel,
    judged: Judged,
}

impl Asking {
    /// The client's side, if `request` asks for it. To be called before fields are taken away.
    pub(crate) fn of<B>(request: &mut Request<B>) -> Option<OnUpgrade> {
        let fields = HeaderFields(request.headers());
        if !fields.0.contains_key(header::UPGRADE)
            || !asks_for_websocket(&head_of(request, &fields))
        {
            return None;
        }
        Some(hyper::upgrade::on(request))
    }

    /// A client that asks by the request that was `judged`.
    pub(crate) fn new(client: OnUpgrade, judged: Judged) -> Self {
        Self { client, judged }
    }

    /// Both sides, once the endpoint has granted it.
    pub(crate) fn granted(self, tunnel: Tunnel) -> Switched {
        Switched { client: self.client, tunnel, judged: self.judged }
    }
}

/// Says in a head, of a request or an answer, that the connection goes on as WebSocket.
pub(crate) fn say_websocket(headers: &mut HeaderMap) {
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static(WEBSOCKET));
}

impl Switched {
    /// Copies both ways until a side ends, nothing has moved for `idle`, or by the rules in force its
    /// request may no longer pass. The client must have got the head of its answer.
    pub(crate) async fn carry(self, idle: Option<Duration>, serving: &Serving) -> io::Result<()> {
        let Self { client, tunnel, judged } = self;
        let carrying = async {
            let client = client.await.map_err(io::Error::other)?;
            tunnel.carry(TokioIo::new(client), idle).await
        };
        tokio::select! {
            ended = carrying => ended,
            () = refused(&judged, serving) => Err(io::ErrorKind::PermissionDenied.into()),
        }
    }
}

/// How often an open connection is judged again where no rule changes: tokens end, and so does the
/// belief in keys.
const JUDGED_EVERY: Duration = Duration::from_secs(30);

/// Waits until a request may no longer pass.
async fn refused(judged: &Judged, serving: &Serving) {
    let mut changes = serving.changes();
    loop {
        // Whichever comes first; the sender of changes lives as long as `serving`.
        let _ = tokio::time::timeout(JUDGED_EVERY, changes.changed()).await;
        if !judged.still_passes(&serving.table().access) {
            return;
        }
    }
}
