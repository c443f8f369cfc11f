//! Writes what a mesh says of itself for people to read.

mod table;

mod state;

mod access;

mod config;

mod network;

pub(crate) use access::access;
pub(crate) use config::{change, versions};
pub(crate) use network::online;
pub(crate) use state::{breakers, event, instances, services, status};
