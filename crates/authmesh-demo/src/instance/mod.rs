//! The running instances: each its own socket, each with faults that its clients know nothing of.
//!
//! Modules stand in the order in which they may use one another: each only those above it.

mod fault;

mod port;

mod gate;

mod serving;

mod running;

#[cfg(test)]
mod tests;

pub(crate) use fault::{Fault, FaultWatch};
pub(crate) use running::Instance;
