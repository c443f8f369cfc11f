//! By which formula, and by how much of the past, calls are refused.

use core::time::Duration;

use super::formula::Formula;

/// The settings of one throttle. The window is sized when the throttle is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// With which probability a call is refused.
    pub formula: Formula,
    /// How far back it looks.
    pub window: Duration,
    /// The fewest requests in the window to judge by.
    pub minimum_requests: u32,
}

impl Policy {
    /// This formula over the last 10 s, judged by at least 20 requests. A dependency that comes
    /// back is let through twice as much in each window, so a long one heals slowly.
    #[must_use]
    pub const fn of(formula: Formula) -> Self {
        Self { formula, window: Duration::from_secs(10), minimum_requests: 20 }
    }
}
