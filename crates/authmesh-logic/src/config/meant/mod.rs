//! The configuration as meant: what the reader hands over once nothing is wrong.

mod network;
mod security;
mod service;

mod mesh;

pub use mesh::{MeshConfig, RegistryConfig};
pub use network::{Limits, ListenerConfig, NetworkConfig, TlsMode};
pub use security::{
    AdminAccess, AdminConfig, FederationConfig, IdentityConfig, RevocationConfig, SecretReference,
    SecurityConfig, TrustConfig,
};
pub use service::{
    AdmissionConfig, Classifier, DiscoverySource, Protocol, RouteConfig, ServiceConfig,
};
