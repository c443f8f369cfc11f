//! Makes a connection, in time: and over it TLS, where the endpoint must prove who it is.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use authmesh_logic::discovery::Address;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::client::TlsStream;

use super::Transport;
use crate::error::BoxError;
use crate::identity::Proof;

/// A connection's bytes, in clear. What TLS needs is on the heap, so that the others are small.
pub(super) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
    SecureTcp(Box<TlsStream<TcpStream>>),
    SecureUnix(Box<TlsStream<UnixStream>>),
}

/// Connects to the endpoint of `transport`; beside the connection stands how long the endpoint's
/// proof is good, if it had to give one.
pub(super) async fn connect(
    transport: &Transport,
    limit: Duration,
) -> Result<(Stream, Option<Proof>), BoxError> {
    match tokio::time::timeout(limit, secured(transport)).await {
        Ok(connected) => connected,
        Err(_) => Err(Box::new(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("no connection within {} ms", limit.as_millis()),
        ))),
    }
}

async fn secured(transport: &Transport) -> Result<(Stream, Option<Proof>), BoxError> {
    let Transport { address, protocol, pin, .. } = transport;
    match address {
        Address::Tcp(peer) => {
            let stream = TcpStream::connect(peer).await?;
            stream.set_nodelay(true)?;
            if peer.ip().is_loopback() {
                unpace(&stream);
            }
            let Some(pin) = pin else { return Ok((Stream::Tcp(stream), None)) };
            let (stream, proof) = pin.secure(stream, address, *protocol).await?;
            Ok((Stream::SecureTcp(Box::new(stream)), Some(proof)))
        }
        Address::Unix(path) => {
            let stream = UnixStream::connect(&**path).await?;
            let Some(pin) = pin else { return Ok((Stream::Unix(stream), None)) };
            let (stream, proof) = pin.secure(stream, address, *protocol).await?;
            Ok((Stream::SecureUnix(Box::new(stream)), Some(proof)))
        }
    }
}

/// Takes a loopback connection off a pacing congestion control (bbr), which only costs there. Where
/// the kernel lacks `cubic` the connection stays as it is.
pub fn unpace(stream: &TcpStream) {
    let _ = SockRef::from(stream).set_tcp_congestion(b"cubic");
}

/// Asks the stream of whatever kind.
macro_rules! each_kind {
    ($stream:expr, $kind:ident => $asked:expr) => {
        match $stream.get_mut() {
            Stream::Tcp($kind) => $asked,
            Stream::Unix($kind) => $asked,
            Stream::SecureTcp($kind) => $asked,
            Stream::SecureUnix($kind) => $asked,
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        each_kind!(self, stream => Pin::new(stream).poll_read(context, buffer))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        each_kind!(self, stream => Pin::new(stream).poll_write(context, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        each_kind!(self, stream => Pin::new(stream).poll_write_vectored(context, slices))
    }

    fn is_write_vectored(&self) -> bool {
        matches!(self, Self::Tcp(_) | Self::Unix(_))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        each_kind!(self, stream => Pin::new(stream).poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        each_kind!(self, stream => Pin::new(stream).poll_shutdown(context))
    }
}
