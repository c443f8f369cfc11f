//! Circuit breakers: stop calling what fails.
//!
//! [`CircuitBreaker`] opens after so many failures in a row and costs a success next to nothing;
//! [`AdvancedCircuitBreaker`] has windows, rates, slow calls and a ramp. Both are cheap handles of
//! one shared breaker: clones see the same state. Each works alone, without a mesh.
//! [`CircuitBreakerLayer`] puts either around any tower service, and [`CircuitBreakers`] keeps them
//! by key.
//!
//! Beside them stand the other strategies, which take clock and luck from their caller:
//! [`outlier`] ejects who fails more than its siblings, [`throttle`] refuses a share while only a
//! share is served, [`concurrency`] finds out how many calls are carried at once, [`quota`] leaves
//! alone who asks to be; [`classify`] reads what an answer says of who gave it.

mod history;

mod counters;

mod breaker;

mod guard;

mod layer;

mod registry;

pub use authmesh_logic::circuit_breaker::{
    Admission, BurnTrip, Cause, Command, Counts, Growth, Jitter, Move, Permit, Policy, Preset,
    RateTrip, Rejected, RejectedReason, SlowTrip, State, Transition, Wait, Window,
};
pub use authmesh_logic::outcome::{Outcome, OutcomeKind};
pub use authmesh_logic::{classify, concurrency, outlier, quota, throttle};
pub use breaker::{AdvancedCircuitBreaker, CircuitBreaker};
pub(crate) use counters::{BreakerCounters, add};
pub use counters::{CircuitBreakerMetrics, TrialResult};
pub use guard::{CallError, PermitGuard};
pub(crate) use history::BreakerHistory;
pub use history::MoveCounts;
pub use layer::{CircuitBreakerLayer, CircuitBreakerService, Classify, GuardedCall, Plain};
pub use registry::{CircuitBreakers, Crowded};
