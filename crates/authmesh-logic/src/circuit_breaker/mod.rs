//! Stops calling what fails.
//!
//! [`CircuitBreaker`] counts failures in a row; [`AdvancedCircuitBreaker`] has every trip of the
//! [`Policy`]. Both are lock-free, allocate nothing after they are built, and say what happened as a
//! [`Transition`] returned by the call that made it happen.
//!
//! | state | becomes | when |
//! |---|---|---|
//! | closed, recovering | open | a result is recorded and the evidence reaches a trip |
//! | open | half-open | a call asks at or after the end of the wait; it is the first trial |
//! | half-open | recovering (closed without a ramp) | `closes_at` trials passed |
//! | half-open | open | more than `trials - closes_at` trials failed |
//! | half-open | open | the trial limit passed, at that moment |
//! | recovering | closed | the ramp has reached all |
//! | forced-open, disabled, metrics-only | closed | the command ran out |
//! | any | any | an operator commands; but a closed breaker is not told to be half-open |
//!
//! | outcome | closed, recovering, metrics-only | half-open |
//! |---|---|---|
//! | success | counts, ends a run of failures | passes |
//! | denied | counts while there are fewer denials than other successes, ends a run | passes |
//! | failure | counts, extends the run | fails |
//! | throttled | nothing | fails |
//! | neutral | nothing; if slow (abandoned), counts as slow | gives its place back |
//! | of an earlier phase | nothing | nothing |
//!
//! Times are kept in whole milliseconds and rounded so that nothing comes early.

mod state;

mod transition;

mod reading;

mod permit;

mod command;

mod evidence;

mod tagged;

mod slack;

mod time_window;

mod burn_rate;

mod policy;

mod presets;

mod trials;

mod word;

mod ticks;

mod trip;

mod wait;

mod rules;

mod machine;

mod count_window;

mod window;

mod face;

mod basic;

mod advanced;

mod registry;

#[cfg(test)]
mod tests;

pub use advanced::AdvancedCircuitBreaker;
pub use basic::CircuitBreaker;
pub use burn_rate::BurnTrip;
pub use command::Command;
pub use permit::{Admission, Permit, Rejected, RejectedReason};
pub use policy::{Growth, Jitter, Policy, RateTrip, SlowTrip, Wait, Window};
pub use presets::Preset;
pub use reading::Reading;
pub use registry::{BreakerRegistry, Crowded};
pub use state::{Cause, Counts, State};
pub use transition::{Move, Transition};
