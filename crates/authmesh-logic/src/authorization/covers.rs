//! Whether one pattern takes everything that another one takes.

use alloc::boxed::Box;

use crate::routing::{HostPattern, Pattern};

/// What can be compared by how much it takes.
pub(super) trait Covers {
    /// Whether everything `other` takes is taken by `self` too. Says no where it is hard to tell.
    fn covers(&self, other: &Self) -> bool;
}

impl Covers for Pattern {
    fn covers(&self, other: &Self) -> bool {
        Self::covers(self, other)
    }
}

impl Covers for HostPattern {
    fn covers(&self, other: &Self) -> bool {
        Self::covers(self, other)
    }
}

impl Covers for u16 {
    fn covers(&self, other: &Self) -> bool {
        self == other
    }
}

impl Covers for Box<str> {
    fn covers(&self, other: &Self) -> bool {
        self == other
    }
}
