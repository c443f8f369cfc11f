//! Opens the doors a configuration asks for, keeps those that stay, closes those that are gone.

use std::io;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use authmesh::config::{Secret, SecretError};
use authmesh_logic::config::{AdminAccess, MeshConfig, RegistryConfig};
use authmesh_logic::discovery::Address;
use tokio::net::UnixStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::accept::{Door, serve};
use super::admin::{AdminDoor, Entry};
use super::metrics::MetricsDoor;
use super::registry::RegistryDoor;
use super::socket::{DoorSocket, Reach};
use super::standing::Standing;
use crate::bind::{BindError, SocketFile};

/// The open doors of a proxy.
pub(crate) struct Doors {
    standing: Arc<Standing>,
    /// Who may enter the door for people.
    entry: Arc<ArcSwapOption<Entry>>,
    open: Vec<OpenDoor>,
}

/// The doors of a configuration, with their sockets where they are new.
#[derive(Default)]
pub(crate) struct PreparedDoors {
    admin: Option<Place>,
    entry: Option<Entry>,
    metrics: Option<Place>,
    registry: Option<Place>,
}

/// Why a door could not be opened.
#[derive(Debug)]
pub(crate) enum DoorError {
    /// Its address.
    Bind(BindError),
    /// The token of the door for people.
    Token(SecretError),
}

/// Where a door is to be: as written, and its socket unless it is open there already.
struct Place {
    written: Address,
    socket: Option<DoorSocket>,
}

/// An open door; dropping it closes it.
struct OpenDoor {
    name: &'static str,
    written: Address,
    /// Where it listens.
    address: Address,
    closing: watch::Sender<bool>,
    task: JoinHandle<()>,
    file: Option<SocketFile>,
}

impl Doors {
    pub(crate) fn new(standing: Arc<Standing>) -> Self {
        Self { standing, entry: Arc::default(), open: Vec::new() }
    }

    /// Opens what a configuration needs beside the doors open `now`, and changes nothing.
    pub(crate) fn prepare(
        config: &MeshConfig,
        now: Option<&Self>,
    ) -> Result<PreparedDoors, DoorError> {
        let open = now.map_or(&[][..], |doors| &doors.open);
        let mut prepared = PreparedDoors::default();
        if let Some(admin) = &config.security.admin {
            let (address, reach) = match &admin.access {
                AdminAccess::Socket { path, allow_uids } if allow_uids.is_empty() => {
                    (Address::Unix(path.clone()), Reach::Owner)
                }
                AdminAccess::Socket { path, .. } => (Address::Unix(path.clone()), Reach::Group),
                AdminAccess::Loopback { address, .. } => (Address::Tcp(*address), Reach::Owner),
            };
            prepared.entry = Some(entry(&admin.access, &address)?);
            prepared.admin = Some(place(open, AdminDoor::NAME, address, reach)?);
        }
        if let Some(address) = config.metrics {
            let address = Address::Tcp(address);
            prepared.metrics = Some(place(open, MetricsDoor::NAME, address, Reach::Owner)?);
        }
        if let RegistryConfig::Embedded { address: Some(address), .. } = &config.registry {
            let address = address.clone();
            prepared.registry = Some(place(open, RegistryDoor::NAME, address, Reach::Owner)?);
        }
        Ok(prepared)
    }

    /// Opens what is new, closes what is gone, and lets in whom the configuration names. The doors
    /// run on the current tokio runtime.
    pub(crate) fn adopt(&mut self, prepared: PreparedDoors) {
        let mut before = std::mem::take(&mut self.open);
        self.entry.store(prepared.entry.map(Arc::new));
        if let Some(place) = prepared.admin {
            let (standing, entry) = (Arc::clone(&self.standing), Arc::clone(&self.entry));
            let door = |closing| AdminDoor { standing, entry, closing };
            self.open.extend(place.into_door(&mut before, door));
        }
        if let Some(place) = prepared.metrics {
            let standing = Arc::clone(&self.standing);
            self.open.extend(place.into_door(&mut before, |_| MetricsDoor(standing)));
        }
        if let (Some(place), Some(registry)) = (prepared.registry, self.standing.mesh.registry()) {
            let registry = registry.clone();
            let door = |closing| RegistryDoor { registry, closing };
            self.open.extend(place.into_door(&mut before, door));
        }
        let addresses = self.open.iter().map(|door| (door.name, door.address.clone()));
        self.standing.set_doors(addresses.collect());
    }

    /// Closes every door, and waits until the answers being given are whole.
    pub(crate) async fn close(self) {
        for door in self.open {
            let OpenDoor { closing, task, file, .. } = door;
            closing.send_replace(true);
            // A panic in it was reported where it happened.
            let _ = task.await;
            drop(file);
        }
    }
}

impl Place {
    /// The door at this place: the one of `before` that stays, or a new one.
    fn into_door<D: Door>(
        self,
        before: &mut Vec<OpenDoor>,
        door: impl FnOnce(watch::Receiver<bool>) -> D,
    ) -> Option<OpenDoor> {
        let Some(DoorSocket { listener, address, file }) = self.socket else {
            let kept = before
                .iter()
                .position(|known| known.name == D::NAME && known.written == self.written)?;
            return Some(before.swap_remove(kept));
        };
        let (closing, is_closing) = watch::channel(false);
        let door = Arc::new(door(is_closing.clone()));
        let task = tokio::spawn(serve(listener, door, is_closing));
        tracing::info!(door = D::NAME, %address, "door open");
        Some(OpenDoor { name: D::NAME, written: self.written, address, closing, task, file })
    }
}

fn place(
    open: &[OpenDoor],
    name: &'static str,
    written: Address,
    reach: Reach,
) -> Result<Place, DoorError> {
    let is_open = open.iter().any(|door| door.name == name && door.written == written);
    let socket = match is_open {
        true => None,
        false => Some(DoorSocket::open(&written, reach).map_err(DoorError::Bind)?),
    };
    Ok(Place { written, socket })
}

fn entry(access: &AdminAccess, address: &Address) -> Result<Entry, DoorError> {
    match access {
        AdminAccess::Socket { allow_uids, .. } if allow_uids.is_empty() => {
            let own = own_user().map_err(|cause| BindError::new(address.clone(), cause));
            Ok(Entry::Users(vec![own.map_err(DoorError::Bind)?]))
        }
        AdminAccess::Socket { allow_uids, .. } => Ok(Entry::Users(allow_uids.clone())),
        AdminAccess::Loopback { token, .. } => {
            Secret::fetch(token).map(Entry::Token).map_err(DoorError::Token)
        }
    }
}

/// The user this process runs as, as its peers see it.
fn own_user() -> io::Result<u32> {
    let (one, _other) = UnixStream::pair()?;
    Ok(one.peer_cred()?.uid())
}
