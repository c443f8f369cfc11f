//! A proxy in this process, and the counts that say whether it holds something.

use std::fmt::Debug;
use std::time::Duration;

use authmesh::config::{self, Files};
use authmesh::status::ServiceStatus;
use authmesh::telemetry::OperationMetrics;
use authmesh_logic::config::MeshConfig;
use authmesh_logic::discovery::Address;
use authmesh_proxy::{Proxy, Stopped};
use tempfile::TempDir;
use tokio::net::TcpStream;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(30);

/// The tasks of a proxy that has nothing to do: one listener on one worker.
const LISTENERS: usize = 1;

/// A proxy with one listener `web`, whatever it is asked going to the service `token`.
pub(crate) struct Running {
    proxy: Proxy,
    address: String,
    folder: TempDir,
}

/// What is held for requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) connections: usize,
    pub(crate) requests: usize,
    /// Places in flight at instances.
    pub(crate) in_flight: u64,
    /// Permits of breakers that have not been given back.
    pub(crate) permits: u64,
    pub(crate) upstream_connections: u64,
    /// Tasks beyond those of listeners and of connections to instances.
    pub(crate) tasks: usize,
}

impl Running {
    /// `more` is written behind `[service.token]`'s endpoints and may open further tables.
    pub(crate) async fn before(endpoint: &str, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = text(endpoint, more);
        let config = read(&folder, &text);
        let proxy = Proxy::start(config, 1).await.unwrap();
        let Some(Address::Tcp(address)) = proxy.addresses().await.remove("web") else {
            panic!("`web` listens on TCP");
        };
        until(|| proxy.load().tasks, |tasks| *tasks == LISTENERS).await;
        Self { proxy, address: address.to_string(), folder }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).await.unwrap()
    }

    /// Puts another file in force.
    pub(crate) async fn reload(&self, text: &str) {
        self.proxy.reload(read(&self.folder, text)).await.unwrap();
    }

    pub(crate) async fn stop(self) -> Stopped {
        self.proxy.stop().await
    }

    /// The tasks beyond those of listeners.
    pub(crate) fn tasks(&self) -> usize {
        self.proxy.load().tasks - LISTENERS
    }

    pub(crate) fn service(&self) -> ServiceStatus {
        self.proxy.mesh().status().services.remove(0)
    }

    /// How many attempts ended so, by the outcome's word.
    pub(crate) fn attempts(&self, outcome: &str) -> u64 {
        use authmesh_logic::outcome::OutcomeKind;
        let place = OutcomeKind::ALL.iter().position(|kind| kind.word() == outcome).unwrap();
        self.operations().iter().map(|operation| operation.breaker.results[place]).sum()
    }

    fn operations(&self) -> Vec<OperationMetrics> {
        self.proxy.mesh().metrics().services.remove(0).operations
    }

    pub(crate) fn held(&self) -> Held {
        let load = self.proxy.load();
        let service = self.service();
        let operations = self.operations();
        let began: u64 = operations.iter().map(|operation| operation.picks).sum();
        let judged: u64 = operations.iter().flat_map(|operation| operation.breaker.results).sum();
        let upstream = usize::try_from(service.connections).unwrap();
        Held {
            connections: load.connections,
            requests: load.requests,
            in_flight: service.in_flight,
            permits: began - judged,
            upstream_connections: service.connections,
            tasks: self.tasks().saturating_sub(upstream),
        }
    }

    /// Waits until nothing at all is held.
    pub(crate) async fn until_nothing_is_held(&self) {
        self.until_held(Held::default()).await;
    }

    /// Waits until exactly so much is held.
    pub(crate) async fn until_held(&self, wanted: Held) {
        until(|| self.held(), |held| *held == wanted).await;
    }
}

/// A configuration with this endpoint.
pub(crate) fn text(endpoint: &str, more: &str) -> String {
    format!(
        "version = 1\n[authorization]\ndefault = \"allow\"\n\
         [[listener]]\nname = \"web\"\naddress = \"127.0.0.1:0\"\nforward_to = \"token\"\n\
         [service.token]\nendpoints = [\"{endpoint}\"]\n{more}"
    )
}

/// The configuration that `text` means.
pub(crate) fn read(folder: &TempDir, text: &str) -> MeshConfig {
    let file = folder.path().join("mesh.toml");
    std::fs::write(&file, text).unwrap();
    match config::load(&file, Files::Look) {
        Ok(loaded) => loaded.config,
        Err(problems) => panic!("{problems}"),
    }
}

/// Asks again and again until the answer is as wanted.
pub(crate) async fn until<T: Debug>(
    mut ask: impl FnMut() -> T,
    is_wanted: impl Fn(&T) -> bool,
) -> T {
    let waiting = async {
        loop {
            let answer = ask();
            if is_wanted(&answer) {
                return answer;
            }
            tokio::task::yield_now().await;
        }
    };
    match tokio::time::timeout(PATIENCE, waiting).await {
        Ok(answer) => answer,
        Err(_) => panic!("waited in vain; the last answer is {:?}", ask()),
    }
}
