//! The trials of a half-open phase, and how many of them the policy asks for.

use super::policy::Policy;
use super::state::Counts;

/// The trials of a half-open phase: `issued:10 | passed:9 | failed:9 | slow:9`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Trials {
    pub(super) issued: u32,
    pub(super) passed: u32,
    pub(super) failed: u32,
    pub(super) slow: u32,
}

/// How wide each number of verdicts is.
pub(super) const TRIAL_BITS: u32 = 9;
/// The most trials of one half-open phase.
pub(super) const MOST_TRIALS: u32 = (1 << TRIAL_BITS) - 1;

impl Trials {
    /// Whether one more may be issued. One may always be under way: a policy changed in the middle
    /// of the phase must not leave it without one.
    pub(super) fn has_place(self, policy: &Policy) -> bool {
        let under_way = self.issued.saturating_sub(self.passed + self.failed);
        self.issued < trials_of(policy) || (under_way == 0 && self.issued < MOST_TRIALS)
    }

    /// The same after one more verdict.
    pub(super) fn with_verdict(self, passed: bool, slow: bool) -> Self {
        Self {
            passed: self.passed + u32::from(passed),
            failed: self.failed + u32::from(!passed),
            slow: self.slow + u32::from(slow),
            ..self
        }
    }

    /// The verdicts as evidence.
    pub(super) fn counts(self) -> Counts {
        Counts {
            total: u64::from(self.passed + self.failed),
            failures: u64::from(self.failed),
            slow: u64::from(self.slow),
            ..Counts::default()
        }
    }
}

/// How many trials half-open may issue.
pub(super) fn trials_of(policy: &Policy) -> u32 {
    policy.trials.clamp(1, MOST_TRIALS)
}

/// How many trials that passed close.
pub(super) fn closes_at(policy: &Policy) -> u32 {
    policy.closes_at.clamp(1, trials_of(policy))
}
