//! One access rule: whether it allows or denies, and when it holds.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::covers::Covers;
use super::{Clause, Inquiry, Miss};
use crate::discovery::ServiceName;

/// What a rule does with the requests it holds for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Lets them through, unless another rule denies them.
    Allow,
    /// Refuses them, whatever allows them.
    Deny,
}

/// Whether a rule decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// It does.
    #[default]
    Enforced,
    /// It does not; what it would have changed is told.
    Shadow,
}

/// One access rule: who may do what, or may not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessRule {
    /// Its name.
    pub name: Box<str>,
    /// What it does.
    pub action: Action,
    /// Whether it decides.
    pub mode: Mode,
    /// The only service it is about; every one if `None`.
    pub service: Option<ServiceName>,
    /// It holds if one of these holds, so never if there is none.
    pub clauses: Vec<Clause>,
}

impl Action {
    /// The word in the file and in reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

impl Mode {
    /// The word in the file and in reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Enforced => "enforced",
            Self::Shadow => "shadow",
        }
    }
}

impl AccessRule {
    /// What is in the way of this request; nothing if the rule holds for it. Of several clauses the
    /// one that came nearest speaks.
    #[must_use]
    pub fn miss(&self, inquiry: &Inquiry<'_>) -> Option<Miss> {
        if !self.is_about(inquiry.service) {
            return Some(Miss::Service);
        }
        let mut greatest = Miss::NoClause;
        for clause in &self.clauses {
            greatest = greatest.max(clause.miss(self.action, inquiry)?);
        }
        Some(greatest)
    }

    /// Whether it holds for this request or not according to what a token says, as far as everything
    /// else is concerned.
    #[must_use]
    pub fn waits_for_token(&self, inquiry: &Inquiry<'_>) -> bool {
        let waits = |clause: &Clause| clause.waits_for_token(self.action, inquiry);
        self.is_about(inquiry.service) && self.clauses.iter().any(waits)
    }

    /// Whether it looks at tokens at all.
    pub(super) fn looks_at_tokens(&self) -> bool {
        self.clauses.iter().any(Clause::looks_at_tokens)
    }

    /// Whether it is about this service.
    #[must_use]
    pub fn is_about(&self, service: &str) -> bool {
        self.service.as_ref().is_none_or(|only| only.as_str() == service)
    }

    /// Whether every request it would hold for is refused by `denial`. Says no where it is hard to
    /// tell.
    #[must_use]
    pub fn is_shadowed_by(&self, denial: &Self) -> bool {
        let is_covered = |own: &Clause| denial.clauses.iter().any(|one| one.covers(own));
        denial.action == Action::Deny
            && denial.mode == Mode::Enforced
            && (denial.service.is_none() || denial.service == self.service)
            && self.clauses.iter().all(is_covered)
    }

    /// Whether it can hold for no request, because it excludes all that it names.
    #[must_use]
    pub fn contradicts_itself(&self) -> bool {
        !self.clauses.is_empty() && self.clauses.iter().all(Clause::contradicts_itself)
    }
}
