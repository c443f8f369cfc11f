//! A running proxy: workers around a mesh, changed and stopped without losing a request.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use authmesh::config::SecretError;
use authmesh::{BuildError, Mesh};
use authmesh_logic::Lane;
use authmesh_logic::config::{ListenerConfig, MeshConfig};
use authmesh_logic::discovery::Address;
use tokio::sync::{Mutex, mpsc};

use crate::access::Access;
use crate::bind::{BindError, SocketFile, Sockets};
use crate::doors::{Ask, Asks, DoorError, Doors, InForce, Phase, PreparedDoors, Standing};
use crate::load::{Busy, Load};
use crate::refusals::Refusals;
use crate::self_test::{SelfTestError, self_test};
use crate::serving::ListenerShared;
use crate::step::Step;
use crate::table::Table;
use crate::tls::{self, ListenerTls, TlsError};
use crate::worker::{Socket, Worker};

/// A running proxy.
pub struct Proxy {
    mesh: Mesh,
    workers: Vec<Worker>,
    busy: Arc<Busy>,
    /// The open listeners, by name. Also what makes one reload wait for another.
    open: Mutex<BTreeMap<String, OpenListener>>,
    standing: Arc<Standing>,
    doors: Mutex<Doors>,
    asks: Mutex<mpsc::Receiver<Ask>>,
}

/// Why a proxy could not start, or would not change.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// What security stands on is not there.
    SelfTest(SelfTestError),
    /// The mesh could not be built.
    Mesh(BuildError),
    /// An address could not be listened on.
    Bind(BindError),
    /// TLS cannot be served.
    Tls(TlsError),
    /// The token of the door for people cannot be had.
    AdminToken(SecretError),
    /// The system would give no thread or runtime.
    Worker(io::Error),
}

/// How a proxy stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// Connections that had not ended when the time to drain was over.
    pub cut_off: usize,
}

struct OpenListener {
    config: ListenerConfig,
    address: Address,
    shared: Arc<ListenerShared>,
    /// Goes with the listener, also where a stop is itself cut short.
    _file: Option<SocketFile>,
}

/// What a configuration needs before anything is changed for it.
struct Prepared {
    sockets: BTreeMap<String, Sockets>,
    doors: PreparedDoors,
}

/// How long a start waits for the first word of every source.
const FIRST_VIEW_LIMIT: Duration = Duration::from_secs(5);

/// How long a start, or a reload, waits for the first keys of every token provider that is new.
const FIRST_KEYS_LIMIT: Duration = Duration::from_secs(5);

impl Proxy {
    /// Starts `workers` threads that serve what `config` says. Runs the mesh's own tasks on the
    /// current tokio runtime, which must go on running.
    ///
    /// # Errors
    ///
    /// When an address is taken, a certificate is of no use or the mesh cannot be built; nothing
    /// is left running then.
    pub async fn start(config: MeshConfig, workers: usize) -> Result<Self, StartError> {
        self_test().map_err(StartError::SelfTest)?;
        let workers = workers.clamp(1, 64);
        let mut prepared = prepare(&config, &BTreeMap::new(), None, workers)?;
        let lanes = u16::try_from(workers).unwrap_or(u16::MAX);
        let mesh = Mesh::builder(config.clone()).lanes(lanes).build().await;
        let mesh = mesh.map_err(StartError::Mesh)?;
        let busy = Busy::new(workers);
        let (asks, asked) = Asks::channel();
        let refusals = Arc::new(Refusals::new(mesh.clone()));
        let access = Arc::new(Access::new(&config, &refusals, mesh.tokens().verifier()));
        let standing = Standing::new(mesh.clone(), asks, Arc::clone(&busy), refusals);
        let standing = Arc::new(standing);
        let mut doors = Doors::new(Arc::clone(&standing));
        // The doors open first, so that a start that takes long can be watched.
        doors.adopt(std::mem::take(&mut prepared.doors));
        standing.enter(Phase::Starting(Step::Keys));
        warn_of_missing_keys(&mesh).await;
        standing.enter(Phase::Starting(Step::Discovery));
        for service in mesh.ready(FIRST_VIEW_LIMIT).await {
            tracing::warn!(%service, "starting without knowing any instance of this service");
        }
        standing.enter(Phase::Starting(Step::Listeners));
        let workers = (0..workers)
            .map(|number| {
                let table = Table::new(&mesh, &config, &access, lane(number));
                Worker::start(number, table, Arc::clone(&busy)).map_err(StartError::Worker)
            })
            .collect::<Result<_, _>>()?;
        let (doors, asks) = (Mutex::new(doors), Mutex::new(asked));
        let open = Mutex::default();
        let proxy = Self { mesh, workers, busy, open, standing, doors, asks };
        proxy.adopt(&config, prepared, &mut *proxy.open.lock().await);
        proxy.standing.enter(Phase::Serving);
        Ok(proxy)
    }

    /// The mesh inside.
    #[must_use]
    pub fn mesh(&self) -> &Mesh {
        &self.mesh
    }

    /// Where each listener listens, by name.
    pub async fn addresses(&self) -> BTreeMap<String, Address> {
        let open = self.open.lock().await;
        open.iter().map(|(name, listener)| (name.clone(), listener.address.clone())).collect()
    }

    /// Where each door listens, by name: `admin`, `metrics`.
    #[must_use]
    pub fn doors(&self) -> BTreeMap<&'static str, Address> {
        self.standing.doors()
    }

    /// Waits for what people ask at the door for them. The program that runs the proxy does it.
    pub async fn asked(&self) -> Ask {
        match self.asks.lock().await.recv().await {
            Some(ask) => ask,
            // The sender lives as long as the proxy.
            None => std::future::pending().await,
        }
    }

    /// What it is busy with. Each count is zero, or back where it was after the start, when there is
    /// nothing to do.
    #[must_use]
    pub fn load(&self) -> Load {
        self.busy.load()
    }

    /// Puts another configuration in force without losing a request: listeners that stay are not
    /// opened again, connections that are open go on under the new rules.
    ///
    /// # Errors
    ///
    /// When the new configuration cannot be put in force; the old one then stays, whole.
    pub async fn reload(&self, config: MeshConfig) -> Result<(), StartError> {
        let reloaded = self.put_in_force(config).await;
        self.standing.reloaded(reloaded.as_ref().err().map(ToString::to_string));
        reloaded
    }

    /// The configuration in force with its number.
    pub(crate) fn in_force(&self) -> &InForce {
        &self.standing.in_force
    }

    /// Notes that a reload failed before there was a configuration.
    pub(crate) fn note_refused(&self, error: &StartError) {
        self.standing.reloaded(Some(error.to_string()));
    }

    async fn put_in_force(&self, config: MeshConfig) -> Result<(), StartError> {
        let mut open = self.open.lock().await;
        let mut doors = self.doors.lock().await;
        let mut prepared = prepare(&config, &open, Some(&doors), self.workers.len())?;
        self.mesh.reconfigure(config.clone()).await.map_err(StartError::Mesh)?;
        warn_of_missing_keys(&self.mesh).await;
        let tokens = self.mesh.tokens().verifier();
        let access = Arc::new(Access::new(&config, &self.standing.refusals, tokens));
        for (number, worker) in self.workers.iter().enumerate() {
            worker.swap_table(Table::new(&self.mesh, &config, &access, lane(number)));
        }
        doors.adopt(std::mem::take(&mut prepared.doors));
        self.adopt(&config, prepared, &mut open);
        Ok(())
    }

    /// Stops taking connections, waits for the requests in flight as long as
    /// `limits.drain_timeout` says, and ends.
    pub async fn stop(self) -> Stopped {
        self.standing.enter(Phase::Draining);
        let limit = self.mesh.config().network.limits.drain_timeout;
        let stopping = self.workers.into_iter().map(|worker| tokio::spawn(worker.stop(limit)));
        let mut cut_off = 0;
        for stopped in stopping.collect::<Vec<_>>() {
            cut_off = cut_off.max(stopped.await.unwrap_or(0));
        }
        self.mesh.close_unused();
        drop(self.open);
        self.doors.into_inner().close().await;
        Stopped { cut_off }
    }

    /// Opens what is new, closes what is gone, gives what stays its new certificate.
    fn adopt(
        &self,
        config: &MeshConfig,
        mut prepared: Prepared,
        open: &mut BTreeMap<String, OpenListener>,
    ) {
        let mut before = std::mem::take(open);
        for listener in &config.network.listeners {
            let tls = ListenerTls::new(listener.tls, self.mesh.identity()).map(Arc::new);
            let kept = kept(&before, config, listener).map(str::to_owned);
            if let Some(mut known) = kept.and_then(|name| before.remove(&name)) {
                known.shared.tls.store(tls);
                known.shared.name.store(Arc::new(listener.name.as_str().into()));
                known.config = listener.clone();
                open.insert(listener.name.clone(), known);
            } else if let Some(sockets) = prepared.sockets.remove(&listener.name) {
                open.insert(listener.name.clone(), self.open(listener, tls, sockets));
            }
        }
        for gone in before.into_values() {
            tracing::info!(address = %gone.address, "no longer listening");
            for worker in &self.workers {
                worker.close(&gone.shared);
            }
        }
        let addresses = open.iter().map(|(name, known)| (name.clone(), known.address.clone()));
        self.standing.set_listeners(addresses.collect());
    }

    fn open(
        &self,
        listener: &ListenerConfig,
        tls: Option<Arc<ListenerTls>>,
        sockets: Sockets,
    ) -> OpenListener {
        let address = sockets.address(&listener.address);
        let shared = Arc::new(ListenerShared {
            name: ArcSwap::from_pointee(listener.name.as_str().into()),
            tls: ArcSwapOption::from(tls),
            port: match &address {
                Address::Tcp(address) => Some(address.port()),
                Address::Unix(_) => None,
            },
        });
        tracing::info!(listener = %listener.name, %address, "listening");
        let (sockets, file) = each(sockets);
        for (worker, socket) in self.workers.iter().zip(sockets) {
            worker.open(Arc::clone(&shared), socket);
        }
        OpenListener { config: listener.clone(), address, shared, _file: file }
    }
}

/// The name of the open listener that `listener` goes on with: the one at its address, under its
/// own name or one that is given up or moves away.
fn kept<'a>(
    open: &'a BTreeMap<String, OpenListener>,
    config: &MeshConfig,
    listener: &ListenerConfig,
) -> Option<&'a str> {
    let at_address = |known: &&OpenListener| known.config.address == listener.address;
    if let Some(known) = open.get(&listener.name).filter(|known| at_address(known)) {
        return Some(&known.config.name);
    }
    let stays = |known: &OpenListener| {
        let is_same = |new: &ListenerConfig| {
            new.name == known.config.name && new.address == known.config.address
        };
        config.network.listeners.iter().any(is_same)
    };
    open.values()
        .filter(at_address)
        .find(|known| !stays(known))
        .map(|known| known.config.name.as_str())
}

/// Builds everything that can fail, and changes nothing.
fn prepare(
    config: &MeshConfig,
    open: &BTreeMap<String, OpenListener>,
    doors: Option<&Doors>,
    workers: usize,
) -> Result<Prepared, StartError> {
    let doors = Doors::prepare(config, doors).map_err(|error| match error {
        DoorError::Bind(error) => StartError::Bind(error),
        DoorError::Token(error) => StartError::AdminToken(error),
    })?;
    tls::check(config).map_err(StartError::Tls)?;
    let mut prepared = Prepared { sockets: BTreeMap::new(), doors };
    for listener in &config.network.listeners {
        if kept(open, config, listener).is_none() {
            let sockets = Sockets::open(&listener.address, workers).map_err(StartError::Bind)?;
            prepared.sockets.insert(listener.name.clone(), sockets);
        }
    }
    Ok(prepared)
}

async fn warn_of_missing_keys(mesh: &Mesh) {
    for provider in mesh.tokens().ready(FIRST_KEYS_LIMIT).await {
        tracing::warn!(provider, "going on without the keys of this token provider");
    }
}

fn lane(worker: usize) -> Lane {
    Lane::new(u16::try_from(worker).unwrap_or(u16::MAX))
}

/// One socket for each worker, and the file they share on a Unix path.
fn each(sockets: Sockets) -> (Vec<Socket>, Option<SocketFile>) {
    match sockets {
        Sockets::Tcp(sockets) => (sockets.into_iter().map(Socket::Tcp).collect(), None),
        Sockets::Unix(sockets, file) => {
            (sockets.into_iter().map(Socket::Unix).collect(), Some(file))
        }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SelfTest(error) => error.fmt(formatter),
            Self::Mesh(error) => error.fmt(formatter),
            Self::Bind(error) => error.fmt(formatter),
            Self::Tls(error) => error.fmt(formatter),
            Self::AdminToken(error) => write!(formatter, "`admin.token`: {error}"),
            Self::Worker(error) => write!(formatter, "cannot start a worker: {error}"),
        }
    }
}

impl std::error::Error for StartError {}
