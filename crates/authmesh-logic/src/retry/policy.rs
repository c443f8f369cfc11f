//! How often a request may be tried, and how long each try may take.

use core::time::Duration;

/// The settings of retries for one service or route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How many attempts a request may have, the first included; at least 1.
    pub attempts: u32,
    /// How long one attempt may take to its response head; `None` is the request's own deadline.
    pub per_try: Option<Duration>,
    /// Only attempts that provably were not processed are tried again, whatever the class.
    pub only_if_unprocessed: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self { attempts: 3, per_try: None, only_if_unprocessed: false }
    }
}
