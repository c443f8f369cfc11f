//! Listeners, connections and limits, as meant.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::discovery::{Address, ServiceName};

/// Listeners, connections, limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkConfig {
    /// Where requests come in.
    pub listeners: Vec<ListenerConfig>,
    /// How long connecting to an instance may take.
    pub connect_timeout: Duration,
    /// How long an unused upstream connection is kept.
    pub keep_alive: Duration,
    /// How many unused upstream connections an endpoint keeps, for each worker.
    pub pool_max_idle: u32,
    /// How old an upstream connection may become before it is no longer reused.
    pub pool_max_age: Duration,
    /// Bounds on what a client may ask for.
    pub limits: Limits,
}

impl Default for NetworkConfig {
    fn default() -> Self {
        Self {
            listeners: Vec::new(),
            connect_timeout: Duration::from_secs(1),
            keep_alive: Duration::from_secs(60),
            pool_max_idle: 256,
            pool_max_age: Duration::from_secs(600),
            limits: Limits::default(),
        }
    }
}

/// Bounds on what a client may ask for. `None` is off, and had to be spelled out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a request head may take to arrive.
    pub header_timeout: Option<Duration>,
    /// How long a connection may be unused.
    pub idle_timeout: Option<Duration>,
    /// How long a body may make no progress.
    pub body_idle_timeout: Option<Duration>,
    /// The largest request head, in bytes.
    pub header_bytes: u32,
    /// The most header fields.
    pub headers: u32,
    /// The longest request target, in bytes.
    pub target_bytes: u32,
    /// The largest request body, in bytes.
    pub body: Option<u64>,
    /// The most connections at once, over all listeners.
    pub connections: Option<u32>,
    /// The most concurrent streams of an HTTP/2 connection.
    pub streams: u32,
    /// How long a stopping mesh waits for requests in flight.
    pub drain_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_timeout: Some(Duration::from_secs(10)),
            idle_timeout: Some(Duration::from_secs(60)),
            body_idle_timeout: Some(Duration::from_secs(30)),
            header_bytes: 60 * 1024,
            headers: 100,
            target_bytes: 8 * 1024,
            body: Some(1024 * 1024),
            connections: Some(10_000),
            streams: 100,
            drain_timeout: Duration::from_secs(30),
        }
    }
}

/// One place where requests come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerConfig {
    /// Its name.
    pub name: String,
    /// Where it listens.
    pub address: Address,
    /// How connections are secured.
    pub tls: TlsMode,
    /// The service that gets what no route of this listener takes.
    pub forward_to: Option<ServiceName>,
}

/// How a listener's connections are secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TlsMode {
    /// Not at all; only on loopback and Unix sockets.
    Plaintext,
    /// The mesh proves itself with the certificate of `[identity]`.
    Server {
        /// Whether TLS 1.2 is spoken too.
        allow_tls12: bool,
    },
    /// Both sides prove themselves.
    Mutual {
        /// Whether TLS 1.2 is spoken too.
        allow_tls12: bool,
    },
    /// Clients may speak with or without TLS, and prove themselves or not.
    Permissive {
        /// Whether TLS 1.2 is spoken too.
        allow_tls12: bool,
    },
}

impl TlsMode {
    /// Whether clients are asked who they are.
    #[must_use]
    pub const fn asks_clients(self) -> bool {
        matches!(self, Self::Mutual { .. } | Self::Permissive { .. })
    }
}
