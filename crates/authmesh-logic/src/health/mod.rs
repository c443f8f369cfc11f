//! Watches instances: what checks conclude.

mod policy;
mod schedule;
mod tracker;
mod traffic;
mod verdict;

pub use policy::{Check, EjectOnFirst, Passive, Policy};
pub use schedule::Schedule;
pub use tracker::Tracker;
pub use traffic::Traffic;
pub use verdict::{Change, CheckFailure, CheckResult, Verdict, Why};
