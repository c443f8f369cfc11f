//! What one result adds to the evidence.

/// What one result adds to the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) failure: bool,
    pub(super) slow: bool,
    pub(super) denied: bool,
}

impl Entry {
    /// How much is bad in it: a failure and a slow call each, a slow failure twice.
    pub(super) const fn bad(self) -> u64 {
        self.failure as u64 + self.slow as u64
    }
}
