//! Tells the service manager how the mesh is, by the protocol of `sd_notify(3)`.

use std::ffi::OsString;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use authmesh::worker::Clock;

/// The service manager, if there is one.
pub(crate) struct Manager(Option<(UnixDatagram, SocketAddr)>);

impl Manager {
    /// The manager that `$NOTIFY_SOCKET` names.
    pub(crate) fn of_environment() -> Self {
        Self(std::env::var_os("NOTIFY_SOCKET").and_then(Self::at))
    }

    /// The mesh takes requests.
    pub(crate) fn ready(&self) {
        self.tell("READY=1");
    }

    /// The mesh reads its file again; [`Self::ready`] ends it. The time tells the manager that this
    /// is the answer to its signal (`Type=notify-reload` of systemd.service(5)).
    pub(crate) fn reloading(&self) {
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={}", Clock.system_micros()));
    }

    /// The mesh stops.
    pub(crate) fn stopping(&self) {
        self.tell("STOPPING=1");
    }

    fn at(name: OsString) -> Option<(UnixDatagram, SocketAddr)> {
        let address = match name.as_bytes() {
            [b'@', name @ ..] => SocketAddr::from_abstract_name(name),
            _ => SocketAddr::from_pathname(name),
        };
        let socket = UnixDatagram::unbound().ok()?;
        // A manager that does not listen must not hold the mesh up.
        socket.set_nonblocking(true).ok()?;
        Some((socket, address.ok()?))
    }

    fn tell(&self, state: &str) {
        if let Some((socket, address)) = &self.0
            && let Err(error) = socket.send_to_addr(state.as_bytes(), address)
        {
            tracing::warn!(%error, state, "the service manager cannot be told");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manager_hears_each_state() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let listener = UnixDatagram::bind(&path).unwrap();
        let manager = Manager(Manager::at(path.into_os_string()));
        let before = Clock.system_micros();
        manager.ready();
        manager.reloading();
        manager.stopping();
        let heard = || {
            let mut buffer = [0; 64];
            let length = listener.recv(&mut buffer).unwrap();
            String::from_utf8(buffer[..length].to_vec()).unwrap()
        };
        assert_eq!(heard(), "READY=1");
        let reloading = heard();
        let at = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap();
        assert!((before..=Clock.system_micros()).contains(&at.parse().unwrap()), "{reloading}");
        assert_eq!(heard(), "STOPPING=1");
    }
}
