//! What an operator decided about an instance, kept apart from what the instance says of itself.

use crate::discovery::{Administration, Weight};

/// What an operator decided about an instance.
///
/// It outlives the registration, so that a restart lifts no quarantine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// Whether it may take requests.
    pub administration: Administration,
    /// Its share of the load; `None` leaves what it registered with.
    pub weight: Option<Weight>,
}

impl Decision {
    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it may be forgotten, when room is needed, once the instance is gone.
    #[must_use]
    pub fn is_forgettable(&self) -> bool {
        self.administration != Administration::Quarantined
    }
}
