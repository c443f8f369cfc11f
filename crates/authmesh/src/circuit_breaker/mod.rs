//! Circuit breakers: stop calling what fails.

pub use authmesh_logic::circuit_breaker::Policy;
