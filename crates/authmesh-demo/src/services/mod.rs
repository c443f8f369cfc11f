//! A small authentication system: what its services know and answer, without sockets or faults.
//!
//! Modules stand in the order in which they may use one another: each only those above it.

mod accounts;

mod tokens;

mod sessions;

mod refresh;

mod counters;

mod system;

mod routes;

pub(crate) use accounts::{ACCOUNTS, account_name};
pub(crate) use counters::Seen;
pub(crate) use routes::{Kind, answer, reply};
pub(crate) use system::System;
