//! The configuration as meant: what the reader hands over once nothing is wrong.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use super::policies::{PolicyConfig, PolicyTest};
use crate::authorization::DefaultAccess;
use crate::concurrency::Priority;
use crate::discovery::registry::Registrants;
use crate::discovery::{Address, ServiceName};
use crate::hygiene::TrustedNetwork;
use crate::identity::{RevocationMode, SpiffeId, TrustDomain};
use crate::retry::OperationClass;
use crate::routing::{HostPattern, Pattern};
use crate::{circuit_breaker, concurrency, health, jwt, load_balancer, outlier, retry, throttle};

/// The whole of one mesh's configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MeshConfig {
    /// The services, ordered by name, each name once.
    pub services: Vec<ServiceConfig>,
    /// Listeners, connections, limits.
    pub network: NetworkConfig,
    /// Which request goes to which service; the first that matches decides.
    pub routes: Vec<RouteConfig>,
    /// Identity, authorization, headers, the door for people.
    pub security: SecurityConfig,
    /// Where the door for machines listens; `None` is nowhere.
    pub metrics: Option<SocketAddr>,
    /// The registry.
    pub registry: RegistryConfig,
}

/// One service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceConfig {
    /// Its name.
    pub name: ServiceName,
    /// Where its instances are learned.
    pub source: DiscoverySource,
    /// How its instances are spoken to.
    pub protocol: Protocol,
    /// Who its instances must prove to be, by mutual TLS; `None` is to speak without TLS.
    pub identity: Option<SpiffeId>,
    /// How long a request may take to its response head.
    pub timeout: Duration,
    /// How old the view of its instances may be; `None` is any age.
    pub max_age: Option<Duration>,
    /// How an endpoint is chosen.
    pub balance: load_balancer::Policy,
    /// The breaker of the service as a whole, one for each operation.
    pub breaker: circuit_breaker::Policy,
    /// The breaker of each endpoint.
    pub endpoint_breaker: circuit_breaker::Policy,
    /// Which of its endpoints are taken out because their outcomes stand out; `None` is none.
    pub outlier: Option<outlier::Policy>,
    /// How much of the load is let in.
    pub admission: AdmissionConfig,
    /// How its instances are checked; `None` is not at all.
    pub health: Option<health::Policy>,
    /// Whether and how attempts are repeated.
    pub retry: retry::Policy,
}

impl ServiceConfig {
    /// How long a request may take when nothing is written.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

    /// A service with every other setting at its default.
    ///
    /// The service breaker has no trip on failures in a row: a burst of requests that die together
    /// with one endpoint of many says nothing of the service.
    #[must_use]
    pub fn new(name: ServiceName, source: DiscoverySource) -> Self {
        Self {
            name,
            source,
            protocol: Protocol::Http1,
            identity: None,
            timeout: Self::DEFAULT_TIMEOUT,
            max_age: None,
            balance: load_balancer::Policy::default(),
            breaker: Self::default_breaker(),
            endpoint_breaker: circuit_breaker::Policy::standard(),
            outlier: None,
            admission: AdmissionConfig::default(),
            health: None,
            retry: retry::Policy::default(),
        }
    }

    /// The breaker of a service when nothing is written.
    #[must_use]
    pub const fn default_breaker() -> circuit_breaker::Policy {
        circuit_breaker::Policy {
            consecutive_failures: None,
            ..circuit_breaker::Policy::standard()
        }
    }
}

/// How much of a service's load is let in, for each of its operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AdmissionConfig {
    /// How many may be in flight at once; `None` is any number.
    pub concurrency: Option<concurrency::Policy>,
    /// Which share is refused while only a share is served; `None` is none.
    pub throttle: Option<throttle::Policy>,
}

/// Where instances are learned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiscoverySource {
    /// These addresses, each an instance.
    Static(Vec<Address>),
    /// The mesh's registry.
    Registry,
    /// A watched file, by path as written.
    File(Box<str>),
}

/// How instances are spoken to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// HTTP/1.1.
    #[default]
    Http1,
    /// HTTP/2 without negotiation (prior knowledge).
    Http2,
}

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

/// Which requests go to which service, and how they are treated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteConfig {
    /// Its name; the operation's name if none is written.
    pub name: String,
    /// Only requests of this listener; all if `None`.
    pub listener: Option<String>,
    /// Only these hosts; all if empty.
    pub hosts: Vec<HostPattern>,
    /// Only these paths; all if empty.
    pub paths: Vec<Pattern>,
    /// Only these methods; all if empty.
    pub methods: Vec<String>,
    /// Where they go.
    pub service: ServiceName,
    /// What the request does there: the key of breakers and metrics.
    pub operation: String,
    /// What it may survive; by method if `None`.
    pub class: Option<OperationClass>,
    /// What an answer says.
    pub classifier: Classifier,
    /// Who is refused first when there is not room for all.
    pub priority: Priority,
    /// Whose throttled answers close this route; those of its service and operation if `None`.
    pub quota: Option<String>,
    /// Its own time-out; the service's if `None`.
    pub timeout: Option<Duration>,
    /// Its own retries; the service's if `None`.
    pub retry: Option<retry::Policy>,
}

/// Which table turns an answer into an outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Classifier {
    /// Status codes alone.
    #[default]
    Http,
    /// Status codes, and the error code in the body of a 400 or 401 with JSON.
    OAuth2,
    /// The status of gRPC, at the end of the answer.
    Grpc,
}

impl Classifier {
    /// Every classifier.
    pub const ALL: [Self; 3] = [Self::Http, Self::OAuth2, Self::Grpc];

    /// The word used in the configuration.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::OAuth2 => "oauth2",
            Self::Grpc => "grpc",
        }
    }
}

/// Identity, authorization, headers, the door for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecurityConfig {
    /// The certificate this mesh proves itself with.
    pub identity: Option<IdentityConfig>,
    /// What happens to a request that no policy speaks of; a proxy must have it written.
    pub authorization: Option<DefaultAccess>,
    /// The access rules, in the order of the text.
    pub policies: Vec<PolicyConfig>,
    /// The token providers, by name.
    pub providers: Vec<jwt::Provider>,
    /// Requests that the access rules are tried with.
    pub policy_tests: Vec<PolicyTest>,
    /// Whose `x-forwarded-*` fields are believed.
    pub trusted_proxies: Vec<TrustedNetwork>,
    /// The field that carries the caller's identity upstream, lower case.
    pub identity_header: Option<String>,
    /// The door for people.
    pub admin: Option<AdminConfig>,
}

/// The files this mesh proves itself with, and those that say whom it believes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityConfig {
    /// The certificate chain, PEM.
    pub cert: Box<str>,
    /// Its private key, PEM.
    pub key: Box<str>,
    /// Whom this mesh believes; `None` if it identifies nobody by certificate.
    pub trust: Option<TrustConfig>,
}

/// Whom a mesh believes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustConfig {
    /// The trust domain this mesh is of.
    pub trust_domain: TrustDomain,
    /// The root certificates of that domain, PEM.
    pub bundle: Box<str>,
    /// The revocation lists; `None` is not to ask for any.
    pub crl: Option<RevocationConfig>,
    /// Other trust domains, each with its own bundle, ordered by their name in the file.
    pub federation: Vec<FederationConfig>,
}

/// Where revocation lists are found, and what happens where they say nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationConfig {
    /// The lists, PEM.
    pub file: Box<str>,
    /// What happens to a peer of whom no usable list speaks.
    pub mode: RevocationMode,
}

/// Another trust domain whose workloads are believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FederationConfig {
    /// Its name.
    pub trust_domain: TrustDomain,
    /// Its root certificates, PEM.
    pub bundle: Box<str>,
}

/// The door for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminConfig {
    /// Where it listens, and who may enter.
    pub access: AdminAccess,
}

/// Where the door for people listens, and who may enter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdminAccess {
    /// A Unix socket; the peer must run as one of these users.
    Socket {
        /// The path.
        path: Box<str>,
        /// Lawful user ids; only the mesh's own if empty.
        allow_uids: Vec<u32>,
    },
    /// TCP on loopback; the peer must know a token.
    Loopback {
        /// The address.
        address: SocketAddr,
        /// The token.
        token: SecretReference,
    },
}

/// Where a secret is found; never the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretReference {
    /// In a file.
    File(Box<str>),
    /// In an environment variable.
    Environment(Box<str>),
    /// In a systemd credential.
    Credential(Box<str>),
}

/// The registry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RegistryConfig {
    /// None.
    #[default]
    None,
    /// In this process.
    Embedded {
        /// Where workloads reach it; in process only if `None`. Without TLS, TCP only on loopback.
        address: Option<Address>,
        /// Whether workloads prove there who they are, by mutual TLS.
        is_mutual: bool,
        /// The directory it survives restarts in; in memory only if `None`.
        persist: Option<Box<str>>,
        /// Who may register which service there.
        registrants: Registrants,
    },
}

impl RegistryConfig {
    /// Whether both keep their records in the same way and place; the door may still differ.
    #[must_use]
    pub fn is_same_engine(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::None, Self::None) => true,
            (Self::Embedded { persist, .. }, Self::Embedded { persist: others, .. }) => {
                persist == others
            }
            _ => false,
        }
    }
}
