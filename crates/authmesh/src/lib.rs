//! The service mesh for authentication systems, as a library.
//!
//! Importing this crate costs nothing: nothing runs, is registered or allocated until it is asked.
//!
//! Modules stand in the order in which they may use one another: each only those above it.

mod clock;
mod luck;

pub mod circuit_breaker;

pub mod discovery;

pub mod load_balancer;

pub mod health;

pub mod config;
