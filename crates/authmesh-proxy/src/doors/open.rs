//! Opens the doors a configuration asks for, keeps those that stay, closes those that are gone.

use std::path::Path;
use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use authmesh::config::{Secret, SecretError};
use authmesh_logic::config::{AdminAccess, MeshConfig, RegistryConfig};
use authmesh_logic::discovery::Address;
use authmesh_logic::discovery::registry::Registrants;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::accept::{Door, DoorTls, serve};
use super::admin::{AdminDoor, Entry};
use super::metrics::MetricsDoor;
use super::registry::RegistryDoor;
use super::socket::{DoorSocket, Reach, own_user};
use super::standing::Standing;
use crate::bind::{BindError, SocketFile};
use crate::tls::ListenerTls;

/// The open doors of a proxy.
pub(crate) struct Doors {
    standing: Arc<Standing>,
    /// Who may enter the door for people.
    entry: Arc<ArcSwapOption<Entry>>,
    /// Who may register at the door for workloads.
    registrants: Arc<ArcSwap<Registrants>>,
    /// How they prove there who they are.
    registry_tls: DoorTls,
    open: Vec<OpenDoor>,
}

/// The doors of a configuration, with their sockets where they are new.
#[derive(Default)]
pub(crate) struct PreparedDoors {
    admin: Option<Place>,
    entry: Option<Entry>,
    metrics: Option<Place>,
    registry: Option<Place>,
    registrants: Registrants,
    is_mutual: bool,
    own_user: u32,
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
    reach: Reach,
    socket: Option<DoorSocket>,
}

/// An open door; dropping it closes it.
struct OpenDoor {
    name: &'static str,
    written: Address,
    reach: Reach,
    /// Where it listens.
    address: Address,
    closing: watch::Sender<bool>,
    task: JoinHandle<()>,
    file: Option<SocketFile>,
}

impl Doors {
    pub(crate) fn new(standing: Arc<Standing>) -> Self {
        Self {
            standing,
            entry: Arc::default(),
            registrants: Arc::default(),
            registry_tls: Arc::default(),
            open: Vec::new(),
        }
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
        if let RegistryConfig::Embedded { address: Some(address), is_mutual, registrants, .. } =
            &config.registry
        {
            let reach = match registrants {
                Registrants::Owner => Reach::Owner,
                // Each connection is asked who it is; the folder may keep others away earlier.
                _ => Reach::Everyone,
            };
            prepared.is_mutual = *is_mutual;
            let own = own_user().map_err(|cause| BindError::new(address.clone(), cause));
            prepared.own_user = own.map_err(DoorError::Bind)?;
            prepared.registrants = registrants.clone();
            prepared.registry = Some(place(open, RegistryDoor::NAME, address.clone(), reach)?);
        }
        Ok(prepared)
    }

    /// Opens what is new, closes what is gone, and lets in whom the configuration names. The doors
    /// run on the current tokio runtime.
    pub(crate) fn adopt(&mut self, prepared: PreparedDoors) {
        let mut before = std::mem::take(&mut self.open);
        self.entry.store(prepared.entry.map(Arc::new));
        self.registrants.store(Arc::new(prepared.registrants));
        let identity = self.standing.mesh.identity();
        let tls = prepared.is_mutual.then(|| ListenerTls::of_door(identity));
        self.registry_tls.store(tls.map(Arc::new));
        if let Some(place) = prepared.admin {
            let (standing, entry) = (Arc::clone(&self.standing), Arc::clone(&self.entry));
            let door = |closing| AdminDoor { standing, entry, closing };
            self.open.extend(place.into_door(&mut before, DoorTls::default(), door));
        }
        if let Some(place) = prepared.metrics {
            let standing = Arc::clone(&self.standing);
            self.open.extend(
                place.into_door(&mut before, DoorTls::default(), |_| MetricsDoor(standing)),
            );
        }
        if let (Some(place), Some(registry)) = (prepared.registry, self.standing.mesh.registry()) {
            let registry = registry.clone();
            let (registrants, own_user) = (Arc::clone(&self.registrants), prepared.own_user);
            let door = |closing| RegistryDoor { registry, registrants, own_user, closing };
            let tls = Arc::clone(&self.registry_tls);
            self.open.extend(place.into_door(&mut before, tls, door));
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
        tls: DoorTls,
        door: impl FnOnce(watch::Receiver<bool>) -> D,
    ) -> Option<OpenDoor> {
        let Some(DoorSocket { listener, address, file }) = self.socket else {
            let kept = before
                .iter()
                .position(|known| known.name == D::NAME && known.written == self.written)?;
            let mut door = before.swap_remove(kept);
            if let (true, Address::Unix(path)) = (door.reach != self.reach, &door.address) {
                // Who may enter is decided for each connection; this is only who can ask at all.
                if let Err(cause) = self.reach.set(Path::new(&**path)) {
                    tracing::warn!(door = D::NAME, %cause, "the mode of its socket stays");
                }
                door.reach = self.reach;
            }
            return Some(door);
        };
        let (closing, is_closing) = watch::channel(false);
        let door = Arc::new(door(is_closing.clone()));
        let task = tokio::spawn(serve(listener, tls, door, is_closing));
        tracing::info!(door = D::NAME, %address, "door open");
        let Self { written, reach, .. } = self;
        Some(OpenDoor { name: D::NAME, written, reach, address, closing, task, file })
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
    Ok(Place { written, reach, socket })
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
