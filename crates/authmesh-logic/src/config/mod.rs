//! Configuration as meant: values that cannot be wrong.

mod meant;

pub use meant::{
    AdminAccess, AdminConfig, Classifier, DefaultAccess, DiscoverySource, IdentityConfig, Limits,
    ListenerConfig, MeshConfig, NetworkConfig, Protocol, RegistryConfig, RouteConfig,
    SecretReference, SecurityConfig, ServiceConfig, TlsMode, TrustedNetwork,
};
