//! Configuration: as written (a tree with places, walked by hand) in, as meant (values that cannot
//! be wrong) out, and everything that is wrong at once.

mod acceptance;
mod access;
mod code;
mod crossing;
mod date;
mod findings;
mod inline;
mod meant;
mod merge;
mod moves;
mod overlap;
mod policies;
mod problem;
mod quantities;
mod read;
mod reader;
pub mod reference;
mod sections;
pub mod settings;
mod suggest;
mod tree;
pub mod units;
mod values;

pub use crate::authorization::DefaultAccess;
pub use acceptance::{Acceptance, LONGEST_ACCEPTANCE_DAYS, acceptance_problems, refused};
pub use code::{Code, Severity};
pub use date::{Date, NotADate};
pub use findings::{IdentityPlaces, Outside, ProviderPlaces};
pub use inline::{PRIVATE_KEY, REFERENCE_KEYS, WORKLOAD, names_secret};
pub use meant::{
    AdminAccess, AdminConfig, AdmissionConfig, Classifier, DiscoverySource, FederationConfig,
    IdentityConfig, Limits, ListenerConfig, MeshConfig, NetworkConfig, Protocol, RegistryConfig,
    RevocationConfig, RouteConfig, SecretReference, SecurityConfig, ServiceConfig, TlsMode,
    TrustConfig,
};
pub use merge::VERSION;
pub use moves::moved_listeners;
pub use policies::{Origin, PolicyConfig, PolicyTest};
pub use problem::Problem;
pub use read::{Reading, read};
pub use reference::reference;
pub use settings::Settings;
pub use tree::{Entry, Node, Span, Table, Tree, Value};
