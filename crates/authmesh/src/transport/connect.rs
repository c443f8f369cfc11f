//! Makes a connection, in time.

use std::io;
use std::time::Duration;

use authmesh_logic::discovery::Address;
use hyper_util::rt::TokioIo;
use socket2::SockRef;
use tokio::net::{TcpStream, UnixStream};

use super::gathered::Gathered;

/// A fresh connection.
pub(super) enum Stream {
    Tcp(TokioIo<Gathered<TcpStream>>),
    Unix(TokioIo<Gathered<UnixStream>>),
}

pub(super) async fn connect(address: &Address, limit: Duration) -> io::Result<Stream> {
    let connecting = async {
        match address {
            Address::Tcp(address) => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                if address.ip().is_loopback() {
                    unpace(&stream);
                }
                Ok(Stream::Tcp(TokioIo::new(Gathered::new(stream))))
            }
            Address::Unix(path) => {
                let stream = UnixStream::connect(&**path).await?;
                Ok(Stream::Unix(TokioIo::new(Gathered::new(stream))))
            }
        }
    };
    match tokio::time::timeout(limit, connecting).await {
        Ok(stream) => stream,
        Err(_) => Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("no connection within {} ms", limit.as_millis()),
        )),
    }
}

/// Takes a loopback connection off a pacing congestion control (bbr), which only costs there. Where
/// the kernel lacks `cubic` the connection stays as it is.
pub fn unpace(stream: &TcpStream) {
    let _ = SockRef::from(stream).set_tcp_congestion(b"cubic");
}
