//! Health monitoring: watches instances.
//!
//! A [`HealthMonitor`] checks a set of instances by one [`Policy`] and says what it concludes.

mod counters;
mod evidence;
mod monitor;
mod probe;
mod record;
mod watch;

pub use authmesh_logic::health::{
    Check, CheckFailure, CheckResult, EjectOnFirst, Passive, Policy, Traffic, Verdict,
};
pub(crate) use counters::HealthCounters;
pub use counters::HealthMetrics;
pub use evidence::Evidence;
pub use monitor::{HealthChange, HealthMonitor};
pub(crate) use probe::probe;
pub use record::{CheckRecord, InstanceHealth};
