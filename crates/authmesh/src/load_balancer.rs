//! Load balancing: spreads requests over endpoints.

pub use authmesh_logic::load_balancer::{Policy, Strategy};
