//! The proxies that are compared and their upstream: how each is configured and started, alike.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::load::{Case, HEALTH, LARGE, SMALL};
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

/// The size of the small answer and of the large one.
const SMALL_BYTES: usize = 195;
const LARGE_BYTES: usize = 64 * 1024;

/// Where our two programs were built, and where files may be written.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    /// The program `authmesh`.
    pub(crate) authmesh: PathBuf,
    /// The bare proxy.
    pub(crate) bare: PathBuf,
    /// Configurations and logs.
    pub(crate) folder: PathBuf,
}

/// The upstream: one nginx worker that listens on four ports.
#[derive(Debug)]
pub(crate) struct Upstream {
    _running: Running,
    ports: [u16; 4],
}

impl Upstream {
    /// Starts it on the load's core.
    pub(crate) fn start(places: &Places) -> Result<Self> {
        let ports = free_ports()?;
        let listens = ports.map(|port| format!("listen 127.0.0.1:{port} backlog=4096;")).join(" ");
        let folder = places.folder.join("upstream");
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(LARGE.trim_start_matches('/')), "x".repeat(LARGE_BYTES))?;
        let http = format!(
            "server {{ {listens} root {root};\n\
             location = {SMALL} {{ return 200 '{body}'; }}\n\
             location = {HEALTH} {{ return 200 'ok'; }} }}\n",
            root = folder.display(),
            body = "x".repeat(SMALL_BYTES)
        );
        let file = nginx_file(&folder, &http)?;
        let words = [required("nginx")?, "-c".to_owned(), file];
        let log = folder.join("log");
        let mut running = Running::start(&words, LOAD_CORE, &log)?;
        running.wait_until_it_serves(ports[0], SMALL, &log).context("the upstream (nginx)")?;
        Ok(Self { _running: running, ports })
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
    pub(crate) fn start(proxy: Proxy, upstream: &Upstream, places: &Places) -> Result<Self> {
        let [http1, http2, metrics] = free_ports()?;
        let folder = places.folder.join(proxy.word());
        fs::create_dir_all(&folder)?;
        let to = upstream.ports.map(|port| format!("127.0.0.1:{port}"));
        let words = match proxy {
            Proxy::Bare => {
                let mut words = vec![text(&places.bare), "1".to_owned()];
                words.extend([http1, http2].map(|port| format!("127.0.0.1:{port}")));
                words.extend(to);
                words
            }
            Proxy::Authmesh => {
                let file = folder.join("mesh.toml");
                fs::write(&file, mesh_file([http1, http2, metrics], &to))?;
                let words = [&text(&places.authmesh), "run", &text(&file), "--workers", "1"];
                words.map(str::to_owned).to_vec()
            }
            Proxy::Haproxy => {
                let file = folder.join("haproxy.cfg");
                fs::write(&file, haproxy_file(http1, http2, &to))?;
                vec![required("haproxy")?, "-db".to_owned(), "-f".to_owned(), text(&file)]
            }
            Proxy::Nginx => {
                let file = nginx_file(&folder, &nginx_http(http1, http2, &to))?;
                vec![required("nginx")?, "-c".to_owned(), file]
            }
        };
        let log = folder.join("log");
        let mut running = Running::start(&words, PROXY_CORE, &log)?;
        running.wait_until_it_serves(http1, SMALL, &log).context(proxy.word())?;
        Ok(Self { proxy, running, http1, http2 })
    }

    /// The port that takes the load of `case`.
    pub(crate) fn port(&self, case: Case) -> u16 {
        if case.is_http2() { self.http2 } else { self.http1 }
    }
}

fn mesh_file([http1, http2, metrics]: [u16; 3], to: &[String; 4]) -> String {
    let listener = |name: &str, port: u16| {
        format!(
            "[[listener]]\nname = \"{name}\"\naddress = \"127.0.0.1:{port}\"\nprotocol = \"http\"\n\
             tls = {{ mode = \"plaintext\" }}\nforward_to = \"upstream\"\n\n"
        )
    };
    format!(
        "version = 1\n\n[authorization]\ndefault = \"allow\"\n\n\
         [metrics]\naddress = \"127.0.0.1:{metrics}\"\n\n{}{}\
         [service.upstream]\nendpoints = {to:?}\n\
         health = {{ path = \"{HEALTH}\", interval = \"2s\" }}\n",
        listener("http1", http1),
        listener("http2", http2)
    )
}

fn haproxy_file(http1: u16, http2: u16, to: &[String; 4]) -> String {
    let servers: Vec<String> =
        (1..).zip(to).map(|(n, to)| format!("  server s{n} {to}\n")).collect();
    format!(
        "global\n  nbthread 1\n  maxconn 4000\n\
         defaults\n  mode http\n  timeout connect 1s\n  timeout client 1h\n  timeout server 1h\n  \
         timeout http-keep-alive 1h\n  option http-keep-alive\n  option forwardfor\n  \
         http-reuse always\n\
         frontend http1\n  bind 127.0.0.1:{http1} backlog 4096\n  default_backend upstream\n\
         frontend http2\n  bind 127.0.0.1:{http2} proto h2\n  default_backend upstream\n\
         backend upstream\n  balance leastconn\n  option httpchk GET {HEALTH}\n  \
         default-server check inter 2s fall 3 rise 1 pool-max-conn 512 pool-purge-delay 60s\n{}",
        servers.concat()
    )
}

fn nginx_http(http1: u16, http2: u16, to: &[String; 4]) -> String {
    let servers = to.each_ref().map(|to| format!("server {to};")).join(" ");
    format!(
        "proxy_buffer_size 16k; proxy_buffers 8 64k; proxy_busy_buffers_size 128k;\n\
         upstream upstream {{ least_conn; {servers} keepalive 512; \
         keepalive_requests 1000000000; keepalive_timeout 1h; }}\n\
         server {{ listen 127.0.0.1:{http1} backlog=4096; listen 127.0.0.1:{http2} http2;\n\
         location / {{ proxy_pass http://upstream; proxy_http_version 1.1; \
         proxy_set_header Connection ''; proxy_set_header Host $host; \
         proxy_set_header X-Forwarded-For $remote_addr; }} }}\n"
    )
}

/// Writes a configuration of nginx that needs no folder but its own; where it lies.
fn nginx_file(folder: &Path, http: &str) -> Result<String> {
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary: Vec<String> = temporary
        .iter()
        .map(|name| format!("{name}_temp_path {}/{name};\n", folder.display()))
        .collect();
    let text = format!(
        "worker_processes 1; daemon off; pid {}/pid; error_log stderr error;\n\
         worker_rlimit_nofile 16384; events {{ worker_connections 8192; }}\n\
         http {{\naccess_log off; keepalive_requests 1000000000; keepalive_timeout 1h;\n\
         sendfile on; tcp_nopush on; tcp_nodelay on; default_type text/plain; \
         open_file_cache max=100;\n{}{http}}}\n",
        folder.display(),
        temporary.concat()
    );
    let file = folder.join("nginx.conf");
    fs::write(&file, text)?;
    Ok(self::text(&file))
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mesh_file_is_toml_with_every_upstream_and_its_features_on() {
        let to = [1, 2, 3, 4].map(|port| format!("127.0.0.1:{port}"));
        let table: toml::Table = mesh_file([5, 6, 7], &to).parse().unwrap();
        let service = &table["service"]["upstream"];
        assert_eq!(service["endpoints"].as_array().unwrap().len(), 4);
        assert!(service.get("health").is_some() && table.contains_key("metrics"));
        assert_eq!(table["listener"].as_array().unwrap().len(), 2);
    }
}
