//! The embedded registry: instances register, prove that they live, and are watched.

mod error;
mod handle;
mod keeper;
mod registration;
mod saved;
mod shared;
#[cfg(test)]
mod tests;
mod watch;

pub use authmesh_logic::discovery::registry::{
    DEFAULT_TTL, Granted, Refusal, Registrant, Registrants, Wish,
};
pub use error::RegistryError;
pub use handle::{DiscoveryMetrics, Registry};
pub use registration::Registration;
pub use watch::Watch;
