//! Which request heads are refused before anything else looks at them.

mod check;
mod fault;
mod fields;

pub use check::{Bounds, authority, check};
pub use fault::{Fault, Refusal};
