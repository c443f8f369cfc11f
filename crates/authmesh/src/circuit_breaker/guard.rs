//! A permit that gives itself back, and the error of a guarded call.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use authmesh_logic::Moment;
use authmesh_logic::outcome::Outcome;

use super::breaker::Breaker;
use super::{Permit, Rejected};

/// The leave to make one call. Dropped without a word, it gives its place back and says nothing.
#[derive(Debug)]
#[must_use = "a guard dropped at once gives its place back before the call"]
pub struct PermitGuard {
    breaker: Arc<Breaker>,
    permit: Option<Permit>,
    asked: Moment,
}

impl PermitGuard {
    pub(super) fn new(breaker: Arc<Breaker>, permit: Permit, asked: Moment) -> Self {
        Self { breaker, permit: Some(permit), asked }
    }

    /// Whether this call is one of the few that decide about closing.
    #[must_use]
    pub fn is_trial(&self) -> bool {
        self.permit.as_ref().is_some_and(Permit::is_trial)
    }

    /// The call succeeded.
    pub fn success(self) {
        self.record(Outcome::SUCCESS);
    }

    /// The call failed.
    pub fn failure(self) {
        self.record(Outcome::FAILURE);
    }

    /// The call ended like this. It is slow if `outcome` says so, or if longer than the policy's
    /// slow limit has passed since it was let through.
    pub fn record(mut self, outcome: Outcome) {
        if let Some(permit) = self.permit.take() {
            self.breaker.record(permit, outcome, self.asked);
        }
    }
}

impl Drop for PermitGuard {
    fn drop(&mut self) {
        if let Some(permit) = self.permit.take() {
            self.breaker.cancel(permit);
        }
    }
}

/// Why a guarded call gave no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallError<E> {
    /// The breaker refused it; it was not made.
    Rejected(Rejected),
    /// It was made and failed.
    Failed(E),
}

impl<E: fmt::Display> fmt::Display for CallError<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(rejected) => rejected.fmt(formatter),
            Self::Failed(error) => error.fmt(formatter),
        }
    }
}

impl<E: Error + 'static> Error for CallError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Rejected(rejected) => Some(rejected),
            Self::Failed(error) => Some(error),
        }
    }
}
