//! Watches instances: what checks conclude.

mod policy;

pub use policy::{Check, Passive, Policy};
