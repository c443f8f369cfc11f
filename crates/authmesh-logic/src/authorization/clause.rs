//! One clause of a rule: who calls, what is asked, and under which conditions.

use alloc::vec::Vec;

use super::covers::Covers;
use super::selection::selects_nothing;
use super::{Action, CallerPattern, Condition, Inquiry, Miss, RequestPattern};

/// Who calls, what is asked, and under which conditions. All three must hold; one that is empty
/// always does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clause {
    /// Who calls: one of these.
    pub from: Vec<CallerPattern>,
    /// What is asked: one of these.
    pub to: Vec<RequestPattern>,
    /// What else must hold: all of these.
    pub when: Vec<Condition>,
}

impl Clause {
    /// What is in the way of this request; nothing if the clause holds. Of several reasons it is the
    /// last one that the request came to.
    pub(super) fn miss(&self, action: Action, inquiry: &Inquiry<'_>) -> Option<Miss> {
        let unless_one = |misses: &mut dyn Iterator<Item = Option<Miss>>| least_missing(misses);
        unless_one(&mut self.to.iter().map(|one| one.miss(action, inquiry)))
            .or_else(|| self.condition_miss(action, inquiry, true))
            .or_else(|| unless_one(&mut self.from.iter().map(|one| one.miss(action, inquiry))))
            .or_else(|| self.condition_miss(action, inquiry, false))
    }

    fn condition_miss(&self, action: Action, inquiry: &Inquiry<'_>, header: bool) -> Option<Miss> {
        let conditions = self.when.iter().filter(|one| one.is_of_header() == header);
        conditions.filter_map(|one| one.miss(action, inquiry)).next()
    }

    /// Whether it holds for this request or not according to what a token says, as far as everything
    /// else is concerned.
    pub(super) fn waits_for_token(&self, action: Action, inquiry: &Inquiry<'_>) -> bool {
        let may_call = |caller: &CallerPattern| caller.holds_whatever_the_token(action, inquiry);
        self.looks_at_tokens()
            && least_missing(&mut self.to.iter().map(|one| one.miss(action, inquiry))).is_none()
            && self.condition_miss(action, inquiry, true).is_none()
            && (self.from.is_empty() || self.from.iter().any(may_call))
    }

    /// Whether it looks at tokens at all.
    pub(super) fn looks_at_tokens(&self) -> bool {
        self.from.iter().any(|caller| !caller.token_principals.asks_nothing())
            || self.when.iter().any(|condition| !condition.is_of_header())
    }

    /// Whether no request can fit.
    pub(super) fn contradicts_itself(&self) -> bool {
        let nobody = self.from.iter().all(CallerPattern::contradicts_itself);
        let nothing = self.to.iter().all(RequestPattern::contradicts_itself);
        (!self.from.is_empty() && nobody)
            || (!self.to.is_empty() && nothing)
            || self.when.iter().any(|one| selects_nothing(&one.values))
    }
}

impl Covers for Clause {
    fn covers(&self, other: &Self) -> bool {
        self.when.is_empty()
            && one_covers_each(&self.from, &other.from)
            && one_covers_each(&self.to, &other.to)
    }
}

/// `None` if nothing is asked or one of the misses is none; else the greatest.
fn least_missing(misses: &mut dyn Iterator<Item = Option<Miss>>) -> Option<Miss> {
    let mut greatest = None;
    for miss in misses {
        greatest = greatest.max(Some(miss?));
    }
    greatest
}

/// Whether each pattern of `others` lies in one of `own`; an empty list means everything.
fn one_covers_each<T: Covers + Default>(own: &[T], others: &[T]) -> bool {
    let is_covered = |other: &T| own.iter().any(|one| one.covers(other));
    own.is_empty()
        || if others.is_empty() { is_covered(&T::default()) } else { others.iter().all(is_covered) }
}
