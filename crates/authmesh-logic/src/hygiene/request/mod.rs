//! Which request heads are refused before anything else looks at them.

mod bounds;
mod fault;
mod fields;

mod check;

pub use bounds::Bounds;
pub use check::{authority, check};
pub use fault::{Fault, Refusal};
