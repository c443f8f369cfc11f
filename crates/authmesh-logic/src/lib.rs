//! Floor 1 of Authmesh: decides, never acts.
//!
//! State machines, algorithms and checked configuration. Nothing here reads a clock, draws luck,
//! opens a socket or calls back: [`Moment`], [`Dice`] and [`Lane`] are handed in, what happened
//! comes back as a value. Usable without tokio and without the standard library.
//!
//! Modules stand in the order in which they may use one another: each only those above it.
#![no_std]

extern crate alloc;
#[cfg(any(test, authmesh_loom))]
extern crate std;

mod dice;
mod lane;
mod moment;
mod mutant;
mod ratio;
mod sync;

mod factor;

mod sliding_sum;

pub mod outcome;

pub mod request_head;

pub mod identity;

pub mod circuit_breaker;

pub mod outlier;

pub mod throttle;

pub mod concurrency;

pub mod quota;

pub mod discovery;

pub mod load_balancer;

pub mod health;

pub mod eligibility;

pub mod retry;

pub mod classify;

pub mod hygiene;

pub mod framing;

pub mod routing;

pub mod authorization;

pub mod jwt;

pub mod config;

pub use dice::Dice;
pub use factor::Factor;
pub use lane::Lane;
pub use moment::Moment;
pub use ratio::Ratio;
