//! Opens the socket of a door, and takes its file away again.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use authmesh_logic::discovery::Address;
use socket2::{Domain, SockAddr, Socket, Type};

use super::accept::DoorListener;
use crate::bind::{BindError, SocketFile, remove_abandoned};

/// An open socket.
pub(crate) struct DoorSocket {
    pub(crate) listener: DoorListener,
    /// Where it listens: the address asked for, with the port the system chose if it was 0.
    pub(crate) address: Address,
    /// Its file, on a Unix path.
    pub(crate) file: Option<SocketFile>,
}

/// Which processes can reach a Unix socket at all. Who may enter is decided for each connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Those of the mesh's own user.
    Owner,
    /// Those of its group too.
    Group,
    /// All.
    Everyone,
}

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 64;

impl DoorSocket {
    /// Opens the socket at `address`. Must be called within a tokio runtime.
    pub(crate) fn open(address: &Address, reach: Reach) -> Result<Self, BindError> {
        let opened = match address {
            Address::Tcp(address) => tcp(*address),
            Address::Unix(path) => unix(Path::new(&**path), reach),
        };
        opened.map_err(|cause| BindError::new(address.clone(), cause))
    }
}

impl Reach {
    /// Gives the socket at `path` this reach.
    pub(crate) fn set(self, path: &Path) -> io::Result<()> {
        let mode = match self {
            Self::Owner => 0o600,
            Self::Group => 0o660,
            Self::Everyone => 0o666,
        };
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode))
    }
}

/// The user this process runs as, as its peers see it.
pub(crate) fn own_user() -> io::Result<u32> {
    let (one, _other) = tokio::net::UnixStream::pair()?;
    Ok(one.peer_cred()?.uid())
}

fn tcp(address: SocketAddr) -> io::Result<DoorSocket> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let address = Address::Tcp(listener.local_addr()?);
    let listener = tokio::net::TcpListener::from_std(listener)?;
    Ok(DoorSocket { listener: DoorListener::Tcp(listener), address, file: None })
}

fn unix(path: &Path, reach: Reach) -> io::Result<DoorSocket> {
    remove_abandoned(path)?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SockAddr::unix(path)?)?;
    let file = SocketFile::at(path);
    // Nobody can connect before the socket listens, so nobody gets in by an earlier mode.
    reach.set(path)?;
    socket.listen(BACKLOG)?;
    let listener = tokio::net::UnixListener::from_std(socket.into())?;
    let address = Address::Unix(path.to_string_lossy().into());
    Ok(DoorSocket { listener: DoorListener::Unix(listener), address, file: Some(file) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_file_is_closed_to_others_and_gone_in_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("door.sock");
        let address: Address = format!("unix:{}", path.display()).parse().unwrap();
        for (reach, mode) in
            [(Reach::Owner, 0o600), (Reach::Group, 0o660), (Reach::Everyone, 0o666)]
        {
            let socket = DoorSocket::open(&address, reach).unwrap();
            let found = std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
            assert_eq!(found, mode);
            assert!(DoorSocket::open(&address, reach).is_err(), "somebody listens there");
            drop(socket);
            assert!(!path.exists());
        }
    }
}
