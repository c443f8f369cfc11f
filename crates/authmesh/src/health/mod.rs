//! Health monitoring: watches instances.

pub use authmesh_logic::health::{Check, Passive, Policy};
