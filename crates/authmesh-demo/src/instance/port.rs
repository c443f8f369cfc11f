//! A port that stays ours while nobody listens on it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::{TcpListener, TcpSocket};

/// A loopback port kept by a socket that does not listen: connecting is refused, and the system
/// gives the port to nobody else while an instance is down.
pub(crate) struct Port {
    address: SocketAddr,
    _keeper: TcpSocket,
}

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 256;

impl Port {
    /// Keeps a port the system chooses.
    pub(crate) fn keep() -> io::Result<Self> {
        let keeper = socket()?;
        keeper.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        Ok(Self { address: keeper.local_addr()?, _keeper: keeper })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Listens on it.
    pub(crate) fn listen(&self) -> io::Result<TcpListener> {
        let socket = socket()?;
        socket.bind(self.address)?;
        socket.listen(BACKLOG)
    }
}

fn socket() -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    Ok(socket)
}
