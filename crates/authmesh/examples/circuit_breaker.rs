//! A breaker on its own: three failures open it, and the fourth call is not made.
use std::io::{Result, Write, stdout};

use authmesh::circuit_breaker::{CircuitBreaker, Policy};

pub(crate) fn main() -> Result<()> {
    let breaker =
        CircuitBreaker::new(Policy { consecutive_failures: Some(3), ..Policy::standard() });
    for call in 1..=4 {
        let permit = breaker.try_acquire();
        writeln!(stdout(), "call {call}: {:?}", permit.as_ref().map(|_| "made"))?;
        permit.into_iter().for_each(|permit| permit.failure());
    }
    writeln!(stdout(), "the breaker is {}", breaker.state().word())
}
