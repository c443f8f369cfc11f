//! How a connection enters: by a handshake, or, where that is allowed, without one.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use authmesh::identity::{HandshakeEnd, Side};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::listener::ListenerTls;
use super::proved::Proved;
use crate::replayed::Replayed;

/// A connection that has entered.
pub(crate) enum Entered<S> {
    /// By a handshake; beside it stands who the caller proved to be.
    Secure(Box<TlsStream<Replayed<S>>>, Proved),
    /// Without TLS.
    Plain(Replayed<S>),
}

/// How long a handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// What every TLS handshake begins with (RFC 8446 §5.1).
const HANDSHAKE_RECORD: u8 = 0x16;

impl ListenerTls {
    /// Lets a connection in. How it ended is counted.
    pub(crate) async fn enter<S>(&self, stream: S) -> Result<Entered<S>, io::Error>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let entered = match tokio::time::timeout(HANDSHAKE_TIMEOUT, self.shake_hands(stream)).await
        {
            Ok(entered) => entered,
            Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut)),
        };
        let end = match &entered {
            Ok(Entered::Secure(..)) => HandshakeEnd::Done,
            Ok(Entered::Plain(_)) => HandshakeEnd::Plaintext,
            Err(error) if self.identity.own_end().is_none() => {
                tracing::debug!(%error, "a handshake failed for want of a certificate");
                HandshakeEnd::NoIdentity
            }
            Err(error) => HandshakeEnd::of(error),
        };
        self.identity.count(Side::Inbound, end);
        entered
    }

    async fn shake_hands<S>(&self, mut stream: S) -> Result<Entered<S>, io::Error>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut first = None;
        if self.takes_plaintext {
            let mut byte = [0];
            stream.read_exact(&mut byte).await?;
            first = Some(byte[0]);
        }
        let stream = Replayed::new(first.into_iter().collect(), stream);
        if first.is_some_and(|byte| byte != HANDSHAKE_RECORD) {
            return Ok(Entered::Plain(stream));
        }
        let own_end = self.identity.own_end();
        // From before the handshake, so that no change of whom the mesh believes is missed.
        let beliefs = self.identity.beliefs();
        let stream = TlsAcceptor::from(Arc::clone(&self.config)).accept(stream).await?;
        let chain = stream.get_ref().1.peer_certificates();
        let proved = Proved::new(&self.identity, beliefs, own_end, chain);
        Ok(Entered::Secure(Box::new(stream), proved))
    }
}
