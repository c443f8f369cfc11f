//! A look at what a configuration names on the network: is it there, does it prove who it must be,
//! does it answer, and what time does it say it is.

mod answer;
mod endpoint;
mod judge;
mod look;
mod report;
mod targets;

pub use report::{EndpointSeen, Online};
