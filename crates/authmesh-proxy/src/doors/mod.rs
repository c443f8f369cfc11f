//! The doors: `[admin]` for people, `[metrics]` for machines, `[registry]` for workloads.
//!
//! Modules stand in the order in which they may use one another: each only those above it.

mod time_text;

mod answer;

mod path;

mod web_page;

mod stream;

mod ask;

mod in_force;

mod standing;

mod readiness;

mod accept;

mod socket;

mod metrics;

mod admin;

mod registry;

mod open;

pub(crate) use ask::Asks;
pub use ask::{Ask, Push, ReloadFault, Reply};
pub(crate) use in_force::InForce;
pub(crate) use open::{DoorError, Doors, PreparedDoors};
pub(crate) use standing::{Phase, Standing};
