//! Lends an endpoint to a protocol the mesh does not speak, and takes the outcome back.

use std::sync::Arc;

use authmesh_logic::discovery::Address;
use authmesh_logic::outcome::OutcomeKind;
use authmesh_logic::retry::OperationClass;

use crate::attempt::Attempt;
use crate::choose::{Tried, choose};
use crate::clock::Clock;
use crate::error::Error;
use crate::service::Target;

/// An endpoint on loan. It counts as in flight until this is dropped; dropped without an outcome
/// it says nothing of the endpoint.
#[must_use = "an endpoint that is not used is given back at once"]
pub struct Picked(Attempt);

impl Picked {
    /// Where to connect.
    #[must_use]
    pub fn address(&self) -> &Address {
        self.0.cell().transport.address()
    }

    /// Gives the endpoint back and says how it did.
    pub fn done(mut self, outcome: OutcomeKind) {
        let now = Clock.now();
        self.0.answered(outcome, now);
        self.0.succeed(now);
    }
}

impl std::fmt::Debug for Picked {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Picked").field(self.address()).finish()
    }
}

/// One pick is one attempt; whether it may be repeated is the caller's knowledge.
pub(crate) fn pick(target: &Arc<Target>) -> Result<Picked, Error> {
    let class = target.treatment.class.unwrap_or(OperationClass::IfUnprocessed);
    choose(target, class, &Tried::default(), Clock.now()).map(Picked)
}
