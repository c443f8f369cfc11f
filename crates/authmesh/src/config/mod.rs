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
mod document;
mod files;
mod include;
mod json;
mod load;
mod mask;
mod origins;
mod policy_tests;
mod problems;
mod report;
mod secret;
mod source;
#[cfg(test)]
mod tests;

pub use authmesh_logic::config::{
    AdminAccess, AdminConfig, Classifier, Code, DefaultAccess, DiscoverySource, IdentityConfig,
    Limits, ListenerConfig, MeshConfig, NetworkConfig, Origin, PolicyConfig, PolicyTest, Problem,
    Protocol, RegistryConfig, RouteConfig, SecretReference, SecurityConfig, ServiceConfig,
    Severity, Span, TlsMode, reference,
};
pub use authmesh_logic::hygiene::TrustedNetwork;
pub use load::{Files, Loaded, load, load_untried, parse};
pub use problems::{Place, Problems};
pub use secret::{Secret, SecretError};
