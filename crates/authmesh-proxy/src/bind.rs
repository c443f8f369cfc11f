//! Opens listening sockets: one for each worker on TCP, one for all on a Unix path.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use authmesh_logic::discovery::Address;
use socket2::{Domain, Protocol, Socket, Type};

/// The listening sockets of one address.
pub(crate) enum Sockets {
    Tcp(Vec<std::net::TcpListener>),
    Unix(Vec<std::os::unix::net::UnixListener>, SocketFile),
}

/// The file of a Unix socket; removed when this is dropped.
pub(crate) struct SocketFile(PathBuf);

/// Why an address could not be listened on.
#[derive(Debug)]
pub struct BindError {
    address: Address,
    cause: io::Error,
}

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 4_096;

impl Sockets {
    /// Opens `workers` sockets that share `address`.
    pub(crate) fn open(address: &Address, workers: usize) -> Result<Self, BindError> {
        let opened = match address {
            Address::Tcp(address) => tcp(*address, workers).map(Self::Tcp),
            Address::Unix(path) => unix(Path::new(&**path), workers),
        };
        opened.map_err(|cause| BindError::new(address.clone(), cause))
    }

    /// Where they listen: the address asked for, with the port the system chose if it was 0.
    pub(crate) fn address(&self, asked: &Address) -> Address {
        match self {
            Self::Tcp(sockets) => sockets
                .first()
                .and_then(|socket| socket.local_addr().ok())
                .map_or_else(|| asked.clone(), Address::Tcp),
            Self::Unix(..) => asked.clone(),
        }
    }
}

fn tcp(address: SocketAddr, workers: usize) -> io::Result<Vec<std::net::TcpListener>> {
    // Sockets that share a port would quietly share it with another process too: asking for it
    // alone first finds whoever has it.
    let alone = socket(address)?;
    alone.bind(&address.into())?;
    let address = match address.port() {
        0 => alone.local_addr()?.as_socket().unwrap_or(address),
        _ => address,
    };
    drop(alone);
    (0..workers)
        .map(|_| {
            let socket = socket(address)?;
            socket.set_reuse_port(true)?;
            socket.bind(&address.into())?;
            socket.listen(BACKLOG)?;
            Ok(socket.into())
        })
        .collect()
}

fn socket(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    Ok(socket)
}

fn unix(path: &Path, workers: usize) -> io::Result<Sockets> {
    remove_abandoned(path)?;
    let listener = std::os::unix::net::UnixListener::bind(path)?;
    let file = SocketFile::at(path);
    listener.set_nonblocking(true)?;
    let sockets = (0..workers).map(|_| listener.try_clone()).collect::<io::Result<_>>()?;
    Ok(Sockets::Unix(sockets, file))
}

/// Removes a socket file that nobody listens on any more; anything else at the path stays.
pub(crate) fn remove_abandoned(path: &Path) -> io::Result<()> {
    let Ok(metadata) = std::fs::symlink_metadata(path) else { return Ok(()) };
    if !metadata.file_type().is_socket() {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "there is a file at this path that is not a socket",
        ));
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Ok(_) => Err(io::Error::from(io::ErrorKind::AddrInUse)),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path)
        }
        Err(error) => Err(error),
    }
}

impl SocketFile {
    /// The file that was made at `path`.
    pub(crate) fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl BindError {
    pub(crate) const fn new(address: Address, cause: io::Error) -> Self {
        Self { address, cause }
    }
}

impl fmt::Display for BindError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "cannot listen on {}: {}", self.address, self.cause)?;
        let help = match self.cause.kind() {
            io::ErrorKind::AddrInUse => {
                "another process listens there; stop it, or choose another `address`"
            }
            io::ErrorKind::PermissionDenied => {
                "this user may not; choose a port above 1023 or a directory it may write to"
            }
            io::ErrorKind::AddrNotAvailable => "this machine does not have that address",
            io::ErrorKind::NotFound => "the directory of the socket does not exist; create it",
            _ => return Ok(()),
        };
        write!(formatter, "\n  = help: {help}")
    }
}

impl std::error::Error for BindError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_refused_although_workers_share_theirs() {
        let sockets = Sockets::open(&"127.0.0.1:0".parse().unwrap(), 2).unwrap();
        let address = sockets.address(&"127.0.0.1:0".parse().unwrap());
        let error = Sockets::open(&address, 2).map(drop).unwrap_err().to_string();
        assert!(
            error.contains(&address.to_string()) && error.contains("another process"),
            "{error}"
        );
    }

    #[test]
    fn an_abandoned_socket_is_replaced_and_a_file_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.sock");
        let address: Address = format!("unix:{}", path.display()).parse().unwrap();
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        let again = Sockets::open(&address, 1).unwrap();
        assert!(Sockets::open(&address, 1).is_err(), "somebody listens there");
        drop(again);
        assert!(!path.exists());

        let file = directory.path().join("precious");
        std::fs::write(&file, "x").unwrap();
        let address = format!("unix:{}", file.display()).parse().unwrap();
        assert!(Sockets::open(&address, 1).is_err());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "x");
    }
}
