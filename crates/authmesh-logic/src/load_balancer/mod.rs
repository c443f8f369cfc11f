//! Spreads requests over endpoints.

mod policy;

pub use policy::{Policy, Strategy};
