//! Circuit breakers: stop calling what fails.
//!
//! [`CircuitBreaker`] opens after so many failures in a row and costs a success next to nothing;
//! [`AdvancedCircuitBreaker`] has windows, rates, slow calls and a ramp. Both are cheap handles of
//! one shared breaker: clones see the same state. Each works alone, without a mesh.
//! [`CircuitBreakerLayer`] puts either around any tower service.

mod breaker;

mod guard;

mod layer;

mod registry;

pub use authmesh_logic::circuit_breaker::{
    Admission, BurnTrip, Cause, Command, Counts, Growth, Jitter, Permit, Policy, Preset, RateTrip,
    Rejected, RejectedReason, SlowTrip, State, Transition, Wait, Window,
};
pub use authmesh_logic::outcome::{Outcome, OutcomeKind};
pub use breaker::{AdvancedCircuitBreaker, CircuitBreaker, CircuitBreakerMetrics};
pub use guard::{CallError, PermitGuard};
pub use layer::{CircuitBreakerLayer, CircuitBreakerService, Classify, GuardedCall, Plain};
pub use registry::{CircuitBreakers, Crowded};
