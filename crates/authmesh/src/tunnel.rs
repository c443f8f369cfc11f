//! A connection to an endpoint that went on as another protocol: its bytes are copied both ways until
//! a side ends or nothing moves any more.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use authmesh_logic::Moment;
use http::Response;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional};

use crate::attempt::Attempt;
use crate::clock::Clock;
use crate::transport::OpenPlace;

/// An endpoint's side of a connection that speaks no HTTP any more.
///
/// Its attempt was judged by the head of the answer; until this is dropped it keeps its place in
/// flight.
pub struct Tunnel {
    endpoint: OnUpgrade,
    _attempt: Attempt,
    _open: OpenPlace,
}

impl Tunnel {
    /// What an answer with status 101 leads to.
    pub(crate) fn behind<B>(response: &mut Response<B>, mut attempt: Attempt) -> Self {
        attempt.succeed(Clock.now());
        let open = attempt.cell().transport.open_place();
        Self { endpoint: hyper::upgrade::on(response), _attempt: attempt, _open: open }
    }

    /// Copies between `client` and the endpoint until both have ended. An end of one side is passed
    /// on to the other.
    ///
    /// # Errors
    ///
    /// When a side breaks; [`io::ErrorKind::TimedOut`] when nothing has moved for `idle`.
    pub async fn carry<S>(self, client: S, idle: Option<Duration>) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let moved = LastMoved::now();
        let copying = async {
            let endpoint = self.endpoint.await.map_err(io::Error::other)?;
            let mut client = Watched { stream: client, moved: &moved };
            copy_bidirectional(&mut client, &mut TokioIo::new(endpoint)).await
        };
        let Some(idle) = idle else { return copying.await.map(drop) };
        tokio::select! {
            copied = copying => copied.map(drop),
            () = moved.until_idle_for(idle) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

/// When a byte last moved, in nanoseconds of the clock.
struct LastMoved(AtomicU64);

impl LastMoved {
    fn now() -> Self {
        Self(AtomicU64::new(Clock.now().as_nanos()))
    }

    fn note(&self) {
        self.0.store(Clock.now().as_nanos(), Ordering::Relaxed);
    }

    async fn until_idle_for(&self, limit: Duration) {
        loop {
            let end = Moment::from_nanos(self.0.load(Ordering::Relaxed)) + limit;
            let left = end.since(Clock.now());
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left).await;
        }
    }
}

/// The client's side. Every byte passes it, whichever way it goes.
struct Watched<'a, S> {
    stream: S,
    moved: &'a LastMoved,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<'_, S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        self.moved.note();
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<'_, S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, bytes))?;
        self.moved.note();
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl std::fmt::Debug for Tunnel {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Tunnel")
    }
}
