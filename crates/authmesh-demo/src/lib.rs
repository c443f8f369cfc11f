//! The demonstration of Authmesh: an authentication system on a bad day, and a scoreboard.
//!
//! Modules stand in the order in which they may use one another: each only those above it.

mod clock;

mod phase;

mod side;

mod secret;

mod services;

mod instance;

mod wire;

mod naive;

mod client;

mod load;

mod cpu;

pub use phase::Phase;
