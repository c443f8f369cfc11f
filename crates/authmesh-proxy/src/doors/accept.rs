//! The accept loop all doors share: HTTP/1.1, with a bound on everything a peer may hold.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use authmesh::identity::{HandshakeEnd, SpiffeId};
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::answer::Answer;
use crate::tls::{Entered, ListenerTls, Proved};

/// What answers at a door.
pub(crate) trait Door: Send + Sync + 'static {
    /// Its name, for the log.
    const NAME: &'static str;

    /// How long a connection may be used; it is then ended after the answer it is at.
    const LONGEST_CONNECTION: Duration;

    /// The most connections at once; a further one is closed.
    const MOST_CONNECTIONS: usize = 64;

    fn answer(&self, peer: Peer, request: Request<Incoming>)
    -> impl Future<Output = Answer> + Send;
}

/// Who is at the other end, as far as anything proves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// A process of this user, on this machine.
    User(u32),
    /// Somebody at this address.
    Address(SocketAddr),
    /// This workload, by the certificate of its handshake.
    Workload(SpiffeId),
}

/// The socket of a door.
pub(crate) enum DoorListener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// How long a request head may take, and an unused connection may stay.
const HEAD_LIMIT: Duration = Duration::from_secs(10);

/// The largest request head, in bytes.
const MOST_HEAD_BYTES: usize = 16 * 1024;

/// The most header fields of a request.
const MOST_FIELDS: usize = 64;

/// How long the answers that are being given may take once the door closes.
const CLOSING_LIMIT: Duration = Duration::from_secs(2);

/// How long a door waits when the system has no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// By what connections enter a door: by mutual TLS, or without if `None`. What is in force when a
/// connection is accepted holds for it.
pub(crate) type DoorTls = Arc<ArcSwapOption<ListenerTls>>;

/// Serves until `closing` turns true, then ends the connections and returns.
pub(crate) async fn serve<D: Door>(
    listener: DoorListener,
    tls: DoorTls,
    door: Arc<D>,
    mut closing: watch::Receiver<bool>,
) {
    let is_closing = closing.clone();
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            // A door whose owner is gone closes as well.
            _ = closing.wait_for(|closing| *closing) => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(door = D::NAME, %error, "cannot accept");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        if connections.len() >= D::MOST_CONNECTIONS {
            tracing::warn!(door = D::NAME, "too many connections");
            continue;
        }
        let (tls, door, closing) = (tls.load_full(), Arc::clone(&door), is_closing.clone());
        connections.spawn(async move {
            match (stream, tls) {
                (Stream::Tcp(stream), Some(tls)) => secure(stream, peer, &tls, door, closing).await,
                (Stream::Tcp(stream), None) => converse(stream, peer, None, door, closing).await,
                (Stream::Unix(stream), _) => converse(stream, peer, None, door, closing).await,
            }
        });
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    // What is left then is dropped with the set.
    let _ = tokio::time::timeout(CLOSING_LIMIT, ended).await;
}

/// Lets a connection in by a handshake, and goes on as who proved to be there.
async fn secure<D: Door>(
    stream: TcpStream,
    peer: Peer,
    tls: &ListenerTls,
    door: Arc<D>,
    mut closing: watch::Receiver<bool>,
) {
    let entered = tokio::select! {
        biased;
        _ = closing.wait_for(|closing| *closing) => return,
        entered = tls.enter(stream) => entered,
    };
    match entered {
        Ok(Entered::Secure(stream, proved)) => {
            let peer = proved.id().cloned().map_or(peer, Peer::Workload);
            converse(stream, peer, Some(&proved), door, closing).await;
        }
        // A door asks for a certificate, so nobody gets here without.
        Ok(Entered::Plain(_)) => {}
        Err(error) => {
            let reason = HandshakeEnd::of(&error).word();
            tracing::debug!(door = D::NAME, ?peer, reason, %error, "no TLS handshake");
        }
    }
}

/// Answers until either side ends the connection, or what its handshake `proved` ends.
async fn converse<S, D>(
    stream: S,
    peer: Peer,
    proved: Option<&Proved>,
    door: Arc<D>,
    mut closing: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    D: Door,
{
    let service = service_fn(move |request| {
        let (door, peer) = (Arc::clone(&door), peer.clone());
        async move { Ok::<_, Infallible>(door.answer(peer, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .max_buf_size(MOST_HEAD_BYTES)
        .max_headers(MOST_FIELDS)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let mut is_ending = false;
    let end = tokio::time::sleep(D::LONGEST_CONNECTION);
    let mut end = std::pin::pin!(end);
    let mut proof_ends = std::pin::pin!(Proved::end_of(proved));
    loop {
        tokio::select! {
            biased;
            // How a peer ends its connection is its own affair.
            _ = connection.as_mut() => return,
            _ = closing.wait_for(|closing| *closing), if !is_ending => {}
            () = proof_ends.as_mut(), if !is_ending => {}
            () = end.as_mut() => if is_ending { return },
        }
        is_ending = true;
        connection.as_mut().graceful_shutdown();
        end.set(tokio::time::sleep(CLOSING_LIMIT));
    }
}

enum Stream {
    Tcp(TcpStream),
    Unix(tokio::net::UnixStream),
}

impl DoorListener {
    async fn accept(&self) -> io::Result<(Stream, Peer)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok((Stream::Tcp(stream), Peer::Address(address)))
            }
            Self::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                let user = stream.peer_cred()?.uid();
                Ok((Stream::Unix(stream), Peer::User(user)))
            }
        }
    }
}
