//! Writes what a mesh says of itself for people to read.

mod table;

mod state;

mod access;

pub(crate) use access::access;
pub(crate) use state::{breakers, event, instances, services, status};
