//! Makes a connection, in time: and over it TLS, where the endpoint must prove who it is.

use std::io;
use std::time::Duration;

use authmesh_logic::discovery::Address;
use hyper_util::rt::TokioIo;
use socket2::SockRef;
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::client::TlsStream;

use super::Transport;
use super::gathered::Gathered;
use crate::error::BoxError;
use crate::identity::Proof;

/// A fresh connection.
pub(super) enum Stream {
    Tcp(TokioIo<Gathered<TcpStream>>),
    Unix(TokioIo<Gathered<UnixStream>>),
    SecureTcp(TokioIo<TlsStream<TcpStream>>),
    SecureUnix(TokioIo<TlsStream<UnixStream>>),
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
            let Some(pin) = pin else {
                return Ok((Stream::Tcp(TokioIo::new(Gathered::new(stream))), None));
            };
            let (stream, proof) = pin.secure(stream, address, *protocol).await?;
            Ok((Stream::SecureTcp(TokioIo::new(stream)), Some(proof)))
        }
        Address::Unix(path) => {
            let stream = UnixStream::connect(&**path).await?;
            let Some(pin) = pin else {
                return Ok((Stream::Unix(TokioIo::new(Gathered::new(stream))), None));
            };
            let (stream, proof) = pin.secure(stream, address, *protocol).await?;
            Ok((Stream::SecureUnix(TokioIo::new(stream)), Some(proof)))
        }
    }
}

/// Takes a loopback connection off a pacing congestion control (bbr), which only costs there. Where
/// the kernel lacks `cubic` the connection stays as it is.
pub fn unpace(stream: &TcpStream) {
    let _ = SockRef::from(stream).set_tcp_congestion(b"cubic");
}
