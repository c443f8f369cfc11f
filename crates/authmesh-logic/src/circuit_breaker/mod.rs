//! Stops calling what fails.

mod policy;

pub use policy::{Growth, Jitter, Policy, RateTrip, SlowTrip, Wait, Window};
