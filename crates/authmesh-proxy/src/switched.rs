//! A client's connection that goes on as WebSocket: who asks for it, and what is carried then.

use std::io;
use std::time::Duration;

use authmesh::worker::Tunnel;
use authmesh_logic::hygiene::{WEBSOCKET, asks_for_websocket};
use http::{HeaderMap, HeaderValue, Request, header};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;

use crate::fields::{HeaderFields, head_of};

/// A client that asks to go on as WebSocket.
pub(crate) struct Asking(OnUpgrade);

/// A client and an endpoint that go on as WebSocket.
pub(crate) struct Switched {
    client: OnUpgrade,
    tunnel: Tunnel,
}

impl Asking {
    /// The client's side, if `request` asks for it. To be called before fields are taken away.
    pub(crate) fn of<B>(request: &mut Request<B>) -> Option<Self> {
        let fields = HeaderFields(request.headers());
        if !fields.0.contains_key(header::UPGRADE)
            || !asks_for_websocket(&head_of(request, &fields))
        {
            return None;
        }
        Some(Self(hyper::upgrade::on(request)))
    }

    /// Both sides, once the endpoint has granted it.
    pub(crate) fn granted(self, tunnel: Tunnel) -> Switched {
        Switched { client: self.0, tunnel }
    }
}

/// Says in a head, of a request or an answer, that the connection goes on as WebSocket.
pub(crate) fn say_websocket(headers: &mut HeaderMap) {
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static(WEBSOCKET));
}

impl Switched {
    /// Copies both ways until a side ends or nothing has moved for `idle`. The client must have got
    /// the head of its answer.
    pub(crate) async fn carry(self, idle: Option<Duration>) -> io::Result<()> {
        let client = self.client.await.map_err(io::Error::other)?;
        self.tunnel.carry(TokioIo::new(client), idle).await
    }
}
