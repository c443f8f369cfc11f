//! Mutual TLS as callers, services and operators meet it: real sockets, real certificates.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where something is not as it must be"
)]

mod backend;
mod caller;
mod place;

mod ended;
mod names;
mod refusals;
mod registered;
mod registry;
mod renewal;
mod told;
