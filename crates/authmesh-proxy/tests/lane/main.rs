//! The request lane over real sockets: what it holds is given back, whoever leaves and however.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where something is not as it must be"
)]

mod backend;
mod client;
mod proxy;

mod bodies;
mod heads;
mod leaks;
mod listeners;
mod short_way;
mod stuck;
mod websocket;
