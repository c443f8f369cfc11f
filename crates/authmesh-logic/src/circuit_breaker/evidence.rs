//! What one result adds to the evidence, and of which phase.

/// What one result adds to the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) failure: bool,
    pub(super) slow: bool,
    pub(super) denied: bool,
}

/// Which phase evidence belongs to, and which set of counters holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) generation: u32,
    pub(super) parity: usize,
}
