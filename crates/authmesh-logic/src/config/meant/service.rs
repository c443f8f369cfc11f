//! Services and routes, as meant.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::concurrency::Priority;
use crate::discovery::{Address, ServiceName};
use crate::identity::SpiffeId;
use crate::retry::OperationClass;
use crate::routing::{HostPattern, Pattern};
use crate::{circuit_breaker, concurrency, health, load_balancer, outlier, retry, throttle};

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
