//! One aspect of a request in a rule: what it must be one of, and what it must not be.

use alloc::vec::Vec;

use super::Action;
use super::covers::Covers;

/// What one aspect of a request must be one of, and none of. Both empty: it may be anything, and
/// may be absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection<T> {
    /// It must be one of these; anything if empty.
    pub any_of: Vec<T>,
    /// It must be none of these.
    pub none_of: Vec<T>,
}

impl<T> Default for Selection<T> {
    fn default() -> Self {
        Self { any_of: Vec::new(), none_of: Vec::new() }
    }
}

impl<T> From<Vec<T>> for Selection<T> {
    fn from(any_of: Vec<T>) -> Self {
        Self { any_of, none_of: Vec::new() }
    }
}

impl<T> Selection<T> {
    /// Whether it may be anything, and may be absent.
    #[must_use]
    pub const fn asks_nothing(&self) -> bool {
        self.any_of.is_empty() && self.none_of.is_empty()
    }

    /// Whether a rule of this action holds for a value, or for its absence.
    pub(super) fn holds<V: Copy>(
        &self,
        action: Action,
        value: Option<V>,
        takes: impl Fn(&T, V) -> bool,
    ) -> bool {
        match value {
            Some(value) => {
                (self.any_of.is_empty() || self.any_of.iter().any(|one| takes(one, value)))
                    && !self.none_of.iter().any(|one| takes(one, value))
            }
            None => self.holds_for_absence(action),
        }
    }

    /// What is absent is none of the wanted values; that it is none of the unwanted ones cannot be
    /// told, so that is taken for the answer that refuses.
    pub(super) fn holds_for_absence(&self, action: Action) -> bool {
        self.any_of.is_empty() && (self.none_of.is_empty() || action == Action::Deny)
    }
}

impl<T: Covers> Covers for Selection<T> {
    fn covers(&self, other: &Self) -> bool {
        let takes = |one: &T| self.any_of.iter().any(|own| own.covers(one));
        let excludes = |one: &T| other.none_of.iter().any(|none| none.covers(one));
        let takes_all =
            self.any_of.is_empty() || (!other.any_of.is_empty() && other.any_of.iter().all(takes));
        takes_all && self.none_of.iter().all(excludes)
    }
}

/// Whether no value can be selected: each one wanted is also unwanted.
pub(super) fn selects_nothing<T: Covers>(selection: &Selection<T>) -> bool {
    let is_unwanted = |one: &T| selection.none_of.iter().any(|none| none.covers(one));
    !selection.any_of.is_empty() && selection.any_of.iter().all(is_unwanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;

    fn of(any_of: &[u16], none_of: &[u16]) -> Selection<u16> {
        Selection { any_of: any_of.to_vec(), none_of: none_of.to_vec() }
    }

    #[test]
    fn what_is_absent_is_judged_as_the_table_says() {
        let cases = [
            (of(&[], &[]), true, true),
            (of(&[1], &[]), false, false),
            (of(&[], &[1]), false, true),
            (of(&[1], &[2]), false, false),
        ];
        for (selection, allow, deny) in cases {
            let holds =
                |action| selection.holds(action, None, |one: &u16, value: u16| *one == value);
            assert_eq!((holds(Action::Allow), holds(Action::Deny)), (allow, deny), "{selection:?}");
        }
    }

    #[test]
    fn a_value_must_be_wanted_and_not_unwanted() {
        let cases = [
            (of(&[], &[]), 1, true),
            (of(&[1, 2], &[]), 2, true),
            (of(&[1, 2], &[]), 3, false),
            (of(&[], &[1]), 2, true),
            (of(&[], &[1]), 1, false),
            (of(&[1, 2], &[2]), 1, true),
            (of(&[1, 2], &[2]), 2, false),
        ];
        for (selection, value, wanted) in cases {
            for action in [Action::Allow, Action::Deny] {
                let found = selection.holds(action, Some(value), |one, value| *one == value);
                assert_eq!(found, wanted, "{selection:?} {value}");
            }
        }
    }

    #[test]
    fn a_selection_covers_those_that_select_less() {
        let cases = [
            (of(&[], &[]), of(&[1], &[]), true),
            (of(&[], &[]), of(&[], &[]), true),
            (of(&[1], &[]), of(&[], &[]), false),
            (of(&[1, 2], &[]), of(&[2], &[]), true),
            (of(&[1], &[]), of(&[1, 2], &[]), false),
            (of(&[], &[1]), of(&[], &[1]), true),
            (of(&[], &[1]), of(&[], &[]), false),
            (of(&[1], &[]), of(&[1], &[3]), true),
        ];
        for (one, other, wanted) in cases {
            assert_eq!(one.covers(&other), wanted, "{one:?} {other:?}");
        }
    }

    #[test]
    fn a_selection_of_what_it_excludes_selects_nothing() {
        assert!(selects_nothing(&of(&[1, 2], &[2, 1])));
        assert!(!selects_nothing(&of(&[1, 2], &[2])));
        assert!(!selects_nothing(&of(&[], &[2])));
        assert_eq!(Selection::from(vec![1_u16]), of(&[1], &[]));
    }
}
