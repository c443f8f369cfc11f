//! The load: users who log in, refresh and call, and somebody who tries passwords.
//!
//! Modules stand in the order in which they may use one another: each only those above it.

mod plan;

mod errand;

mod tally;

mod drive;

pub(crate) use drive::Load;
pub(crate) use plan::Plan;
pub(crate) use tally::Tally;
