//! Plain, sequential models that the fast forms are compared with.

mod circuit_breaker;

pub use circuit_breaker::{Leave, Oracle};
