//! The proxies that are compared and their upstream: how each is configured and started, alike.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::configuration;
use super::load::{Case, SMALL};
use super::process::{Running, free_ports, required};

/// One of the compared proxies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proxy {
    /// A hyper proxy without any feature: what the libraries cost.
    Bare,
    /// Ours, with breakers, balancer, health checks and metrics on.
    Authmesh,
    /// HAProxy with health checks.
    Haproxy,
    /// nginx; its free edition has no health checks.
    Nginx,
}

impl Proxy {
    /// Every proxy.
    pub(crate) const ALL: [Self; 4] = [Self::Bare, Self::Authmesh, Self::Haproxy, Self::Nginx];

    /// The word a person types.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Authmesh => "authmesh",
            Self::Haproxy => "haproxy",
            Self::Nginx => "nginx",
        }
    }
}

/// The core of the proxy, and that of its load and upstream.
const PROXY_CORE: usize = 1;
pub(crate) const LOAD_CORE: usize = 0;

/// Where our programs were built, and where files may be written.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    /// The program `authmesh`.
    pub(crate) authmesh: PathBuf,
    /// The bare proxy.
    pub(crate) bare: PathBuf,
    /// The callers by mutual TLS.
    pub(crate) load: PathBuf,
    /// Configurations and logs.
    pub(crate) folder: PathBuf,
}

/// The upstream: one nginx worker that listens on four ports and four Unix sockets.
#[derive(Debug)]
pub(crate) struct Upstream {
    _running: Running,
    ports: [u16; 4],
    sockets: [PathBuf; 4],
}

/// By which addresses a proxy reaches the upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    Tcp,
    Unix,
}

impl Upstream {
    /// Starts it on the load's core.
    pub(crate) fn start(places: &Places) -> Result<Self> {
        let ports = free_ports()?;
        let folder = places.folder.join("upstream");
        fs::create_dir_all(&folder)?;
        let sockets = [1, 2, 3, 4].map(|number| folder.join(format!("{number}.sock")));
        for socket in sockets.iter().filter(|socket| socket.exists()) {
            fs::remove_file(socket)?;
        }
        let file = configuration::upstream(&folder, ports, &sockets)?;
        let words = [required("nginx")?, "-c".to_owned(), file];
        let log = folder.join("log");
        let mut running = Running::start(&words, LOAD_CORE, &log)?;
        running.wait_until_it_serves(ports[0], SMALL, &log).context("the upstream (nginx)")?;
        Ok(Self { _running: running, ports, sockets })
    }

    /// Its addresses as `proxy` writes them.
    fn addresses(&self, proxy: Proxy, reach: Reach) -> [String; 4] {
        match reach {
            Reach::Tcp => self.ports.map(|port| format!("127.0.0.1:{port}")),
            Reach::Unix => {
                let scheme = if proxy == Proxy::Haproxy { "unix@" } else { "unix:" };
                self.sockets.each_ref().map(|socket| format!("{scheme}{}", socket.display()))
            }
        }
    }
}

/// A started proxy.
#[derive(Debug)]
pub(crate) struct Started {
    /// Which.
    pub(crate) proxy: Proxy,
    /// Its process.
    pub(crate) running: Running,
    http1: u16,
    http2: u16,
}

impl Started {
    /// Starts `proxy` before `upstream`, with one worker on the proxy's core.
    pub(crate) fn start(
        proxy: Proxy,
        upstream: &Upstream,
        reach: Reach,
        places: &Places,
    ) -> Result<Self> {
        Self::start_with(proxy, upstream, reach, places, None)
    }

    /// The same with mutual TLS on its port for HTTP/1.1, by the certificates of this folder.
    pub(crate) fn start_secure(
        proxy: Proxy,
        upstream: &Upstream,
        places: &Places,
        certificates: &Path,
    ) -> Result<Self> {
        Self::start_with(proxy, upstream, Reach::Tcp, places, Some(certificates))
    }

    fn start_with(
        proxy: Proxy,
        upstream: &Upstream,
        reach: Reach,
        places: &Places,
        certificates: Option<&Path>,
    ) -> Result<Self> {
        let [http1, http2, metrics] = free_ports()?;
        let way = if certificates.is_some() { "secure".to_owned() } else { format!("{reach:?}") };
        let folder = places.folder.join(format!("{}-{way}", proxy.word()).to_lowercase());
        fs::create_dir_all(&folder)?;
        let to = upstream.addresses(proxy, reach);
        let words = match proxy {
            Proxy::Bare => {
                let mut words = vec![text(&places.bare), "1".to_owned()];
                words.extend([http1, http2].map(|port| format!("127.0.0.1:{port}")));
                words.extend(certificates.map(|folder| format!("tls:{}", folder.display())));
                words.extend(to);
                words
            }
            Proxy::Authmesh => {
                let file = folder.join("mesh.toml");
                fs::write(&file, configuration::mesh([http1, http2, metrics], &to, certificates))?;
                let words = [&text(&places.authmesh), "run", &text(&file), "--workers", "1"];
                words.map(str::to_owned).to_vec()
            }
            Proxy::Haproxy => {
                let file = folder.join("haproxy.cfg");
                fs::write(&file, configuration::haproxy(http1, http2, &to, certificates))?;
                vec![required("haproxy")?, "-db".to_owned(), "-f".to_owned(), text(&file)]
            }
            Proxy::Nginx => {
                let file = configuration::nginx(&folder, http1, http2, &to, certificates)?;
                vec![required("nginx")?, "-c".to_owned(), file]
            }
        };
        let log = folder.join("log");
        let mut running = Running::start(&words, PROXY_CORE, &log)?;
        let serves = match certificates {
            None => running.wait_until_it_serves(http1, SMALL, &log),
            // Whether it also believes its callers their first request says.
            Some(_) => running.wait_until_it_listens(http1, &log),
        };
        serves.context(proxy.word())?;
        Ok(Self { proxy, running, http1, http2 })
    }

    /// The port that takes the load of `case`.
    pub(crate) fn port(&self, case: Case) -> u16 {
        if case.is_http2() { self.http2 } else { self.http1 }
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
