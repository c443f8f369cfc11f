//! Configuration: one checked file.

pub use authmesh_logic::config::{MeshConfig, ServiceConfig};
