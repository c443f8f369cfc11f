//! The basic breaker: opens after so many failures in a row.

use super::command::Command;
use super::face::face;
use super::machine::{Machine, Standing};
use super::permit::{Admission, Permit, Rejected};
use super::policy::Policy;
use super::reading::Reading;
use super::state::{Cause, Counts, State};
use super::transition::Transition;
use super::word::{Kind, Word};
use crate::outcome::{Outcome, OutcomeKind};
use crate::{Dice, Lane, Moment};

/// A circuit breaker that counts failures in a row, and nothing else.
///
/// Of the policy it heeds `consecutive_failures`, the wait, the trials and the ramp. Without
/// `consecutive_failures` it opens only on an operator's command. A success while nothing is wrong
/// costs two loads and writes nothing.
#[derive(Debug)]
pub struct CircuitBreaker {
    machine: Machine,
}

impl CircuitBreaker {
    /// A closed breaker. Its jitter is drawn from `dice`, its time counts from `epoch`.
    #[must_use]
    pub fn new(dice: &mut Dice, epoch: Moment) -> Self {
        Self { machine: Machine::new(dice, epoch) }
    }

    /// Enters a result as evidence, and opens the breaker if that is enough.
    #[inline]
    fn gather(
        &self,
        policy: &Policy,
        generation: u32,
        _lane: Lane,
        outcome: Outcome,
        now: Moment,
    ) -> Option<Transition> {
        match outcome.kind {
            OutcomeKind::Success | OutcomeKind::Denied => self.machine.end_run(generation),
            OutcomeKind::Throttled | OutcomeKind::Neutral => {}
            OutcomeKind::Failure => {
                let Some(run) = self.machine.extend_run(generation) else {
                    self.machine.count_stale();
                    return None;
                };
                if policy.runs_out(run) {
                    let (cause, evidence) = (Cause::ConsecutiveFailures, in_a_row(run));
                    return self.machine.trip(policy, generation, cause, evidence, now);
                }
            }
        }
        None
    }

    fn evidence(&self, generation: u32, _now: Moment) -> Counts {
        in_a_row(self.machine.run(generation))
    }
}

face!(CircuitBreaker);

/// Failures in a row are all that this breaker has seen.
fn in_a_row(run: u32) -> Counts {
    let failures = u64::from(run);
    Counts { total: failures, failures, consecutive_failures: run, ..Counts::default() }
}
