//! Spreads requests over endpoints.

mod balancer;
mod candidate;
pub mod least_loaded;
mod policy;
pub mod smooth;
pub mod stride;
pub mod two_choices;

pub use balancer::LoadBalancer;
pub use candidate::Candidate;
pub use policy::{Policy, Strategy};
