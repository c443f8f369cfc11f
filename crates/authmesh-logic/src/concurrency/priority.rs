//! Who is refused first when there is not room for all.

use crate::Ratio;

/// How much a call matters, 0 (most) to 4 (least).
///
/// Checking tokens that are out there comes before renewing them, renewing before the second step
/// of a login, that before the first, and all before registration and bulk work: whoever loses the
/// first two logs everybody out, and makes the storm of logins that it was meant to survive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Priority(u8);

impl Priority {
    /// Refused last.
    pub const MOST: Self = Self(0);
    /// Refused first.
    pub const LEAST: Self = Self(4);

    /// The priority of this number; above 4 is `None`.
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        if number <= Self::LEAST.0 { Some(Self(number)) } else { None }
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// How many places of `limit` it may fill; at least one, so that even the least is heard when
    /// nobody else calls.
    #[must_use]
    pub const fn places(self, limit: u32) -> u32 {
        let share = match self.0 {
            0 => return if limit == 0 { 1 } else { limit },
            1 => Ratio::percent(95),
            2 => Ratio::percent(90),
            3 => Ratio::percent(80),
            _ => Ratio::percent(60),
        };
        let places = share.of(limit as u64) as u32;
        if places == 0 { 1 } else { places }
    }
}

impl Default for Priority {
    /// The middle.
    fn default() -> Self {
        Self(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_priority_may_fill_its_share_and_never_none() {
        let places = |limit| [0, 1, 2, 3, 4].map(|number| Priority(number).places(limit));
        assert_eq!(places(100), [100, 95, 90, 80, 60]);
        assert_eq!(places(10), [10, 10, 9, 8, 6]);
        assert_eq!(places(1), [1; 5]);
        assert_eq!(places(0), [1; 5]);
        assert_eq!(Priority::new(5), None);
    }
}
