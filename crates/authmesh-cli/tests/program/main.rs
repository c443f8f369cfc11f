//! The whole program, as people and scripts meet it.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends where something is not as it must be"
)]

mod backend;
mod breakers;
mod http;
mod program;

mod access;
mod canary;
mod changes;
mod check;
mod configuration;
mod demo;
mod doors;
mod life;
mod load;
mod outage;
mod peers;
mod protocols;
mod registry;
mod reload;
mod tokens;
mod unit;
