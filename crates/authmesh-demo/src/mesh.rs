//! The mesh of the demonstration: a proxy in this process, with its three doors on loopback.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use authmesh::Mesh;
use authmesh::discovery::Address;
use authmesh::telemetry::EventReceiver;
use authmesh_proxy::{Ask, Proxy};
use tempfile::TempDir;

use crate::failure::Failure;
use crate::notice::{Notice, Posted};
use crate::secret::Secret;
use crate::wait::{Patience, wait_until};

/// The running mesh.
pub(crate) struct RunningMesh {
    proxy: Proxy,
    front: SocketAddr,
    doors: BTreeMap<&'static str, Address>,
    directory: TempDir,
    /// For other terminals; without it they name the door and the token themselves.
    _notice: Option<Posted>,
}

/// What was left of a mesh that has stopped.
pub(crate) struct Left {
    pub(crate) permits: u64,
    pub(crate) connections: u64,
}

/// Threads that carry requests.
const WORKERS: usize = 2;

/// The configuration, with a place for the file of the token.
const CONFIG: &str = include_str!("mesh.toml");

impl RunningMesh {
    /// Starts it.
    pub(crate) async fn start() -> Result<Self, Failure> {
        let directory = tempfile::Builder::new().prefix("authmesh-demo-").tempdir()?;
        let token = token_file(directory.path());
        write_secret(&token, &Secret::random())?;
        let text = CONFIG.replace("TOKEN_FILE", &token.display().to_string());
        let config = authmesh::config::parse(&text, "mesh.toml").map_err(Failure::Config)?;
        let proxy = Proxy::start(config.config, WORKERS).await.map_err(Failure::Mesh)?;
        let front = match proxy.addresses().await.remove("front") {
            Some(Address::Tcp(address)) => address,
            _ => SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        };
        let doors = proxy.doors();
        let notice = Notice { admin: url(&doors, "admin"), token_file: token };
        Ok(Self { proxy, front, doors, directory, _notice: notice.post().ok() })
    }

    /// Where requests go in.
    pub(crate) fn front(&self) -> SocketAddr {
        self.front
    }

    /// Where the door for people is.
    pub(crate) fn admin(&self) -> String {
        self.door("admin")
    }

    /// What to tell people about the doors.
    pub(crate) fn doors(&self) -> [String; 4] {
        let token = token_file(self.directory.path());
        let (admin, metrics) = (self.admin(), self.door("metrics"));
        [
            format!("admin     {admin}"),
            format!("metrics   {metrics}/metrics"),
            format!("registry  {}/v1/registry/token", self.door("registry")),
            format!("try       authmesh status --admin {admin} --token-file {}", token.display()),
        ]
    }

    /// Where instances register.
    pub(crate) fn registry(&self) -> Option<SocketAddr> {
        match self.doors.get("registry") {
            Some(Address::Tcp(address)) => Some(*address),
            _ => None,
        }
    }

    pub(crate) fn events(&self) -> EventReceiver {
        self.proxy.mesh().events()
    }

    /// Waits until this many instances may take requests.
    pub(crate) async fn ready(&self, instances: usize) -> Result<(), Failure> {
        let routable = || {
            let services = self.proxy.mesh().status().services;
            services.iter().map(|service| service.routable).sum::<usize>()
        };
        let is_ready = wait_until(Patience::START, || routable() == instances).await;
        is_ready.then_some(()).ok_or(Failure::NotReady)
    }

    /// Attempts made until now that were not the first of their request.
    pub(crate) fn retries(&self) -> u64 {
        let services = self.proxy.mesh().metrics().services;
        let operations = services.iter().flat_map(|service| &service.operations);
        operations.map(|operation| operation.retries).sum()
    }

    /// Hears what people ask at their door until one of them wants the end.
    pub(crate) async fn asked_to_end(&self) {
        // A reload is refused by dropping it: there is no file to read again.
        while !matches!(self.proxy.asked().await, Ask::Shutdown) {}
    }

    /// Stops it and says what was left. Its clients have left before.
    pub(crate) async fn stop(self) -> Left {
        let mesh = self.proxy.mesh().clone();
        wait_until(Patience::END, || self.proxy.load().connections == 0).await;
        wait_until(Patience::END, || permits(&mesh) == 0).await;
        let clients = self.proxy.load().connections;
        let permits = permits(&mesh);
        self.proxy.stop().await;
        wait_until(Patience::END, || upstream(&mesh) == 0).await;
        let connections = u64::try_from(clients).unwrap_or(u64::MAX) + upstream(&mesh);
        Left { permits, connections }
    }

    fn door(&self, name: &str) -> String {
        url(&self.doors, name)
    }
}

fn url(doors: &BTreeMap<&'static str, Address>, name: &str) -> String {
    doors.get(name).map_or_else(|| "closed".to_owned(), |door| format!("http://{door}"))
}

/// Attempts that have not given back their permits and their place.
fn permits(mesh: &Mesh) -> u64 {
    mesh.status().services.iter().map(|service| service.in_flight).sum()
}

/// Connections to instances.
fn upstream(mesh: &Mesh) -> u64 {
    mesh.status().services.iter().map(|service| service.connections).sum()
}

fn token_file(directory: &Path) -> PathBuf {
    directory.join("admin-token")
}

/// Writes a file that only its owner may read.
fn write_secret(path: &Path, secret: &Secret) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut options = std::fs::OpenOptions::new();
    options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?
        .write_all(secret.expose().as_bytes())
}
