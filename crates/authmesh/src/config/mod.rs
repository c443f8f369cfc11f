//! Configuration: one checked file.
//!
//! [`load`] reads `mesh.toml` and what it includes, [`parse`] a text. Both give a [`MeshConfig`] that
//! cannot be wrong, or every [`Problem`] at once, each with its place:
//!
//! ```
//! let text = "version = 1\n[service.login]\nendpoints = [\"127.0.0.1:3000\"]\ntimeuot = \"2s\"\n";
//! let problems = authmesh::config::parse(text, "mesh.toml").unwrap_err();
//! assert!(problems.to_string().contains("did you mean `timeout`?"));
//! ```
//!
//! Without a file, [`ServiceConfig::new`] and [`MeshConfig::default`] give the defaults.

mod anchor;
mod change;
mod document;
mod dump;
mod files;
mod github;
mod include;
mod json;
mod load;
mod mask;
mod online;
mod origins;
mod policy_tests;
mod problems;
mod report;
mod schema;
mod secret;
mod source;
#[cfg(test)]
mod tests;
mod versions;

pub use authmesh_logic::config::reference::Effect;
pub use authmesh_logic::config::settings::{self, Change, Settings};
pub use authmesh_logic::config::{Acceptance, Date};
pub use authmesh_logic::config::{
    AdminAccess, AdminConfig, AdmissionConfig, Classifier, Code, DefaultAccess, DiscoverySource,
    FederationConfig, IdentityConfig, Limits, ListenerConfig, MeshConfig, NetworkConfig, Origin,
    PolicyConfig, PolicyTest, Problem, Protocol, RegistryConfig, RevocationConfig, RouteConfig,
    SecretReference, SecurityConfig, ServiceConfig, Severity, Span, TlsMode, TrustConfig,
    reference, units,
};
pub use authmesh_logic::hygiene::TrustedNetwork;
pub use change::today;
pub use load::{Files, Loaded, load, load_untried, parse, parse_in};
pub use online::{EndpointSeen, Online};
pub use problems::{Place, Problems};
pub use schema::{schema, schema_text};
pub use secret::{Secret, SecretError};
pub use versions::{MOST_VERSIONS, Version, Versions};
