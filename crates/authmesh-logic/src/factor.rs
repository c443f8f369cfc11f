//! A number of zero or more that can be compared, unlike a floating-point one.

use crate::Ratio;

/// A multiplier in billionths, from 0 to a billion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Factor(u64);

impl Factor {
    /// Once.
    pub const ONE: Self = Self(Self::UNITS);
    const UNITS: u64 = 1_000_000_000;

    /// `thousandths` of one.
    #[must_use]
    pub const fn thousandths(thousandths: u32) -> Self {
        Self(thousandths as u64 * (Self::UNITS / 1_000))
    }

    /// The nearest factor to `number`; outside `0.0..=1e9` (or not a number) is `None`.
    #[must_use]
    pub fn from_number(number: f64) -> Option<Self> {
        if !(0.0..=1e9).contains(&number) {
            return None;
        }
        // In range by the check above, so the cast neither wraps nor saturates.
        Some(Self((number * Self::UNITS as f64 + 0.5) as u64))
    }

    /// Whether `part` of `whole` is at least so many times `share`, in integer arithmetic.
    #[must_use]
    pub const fn times_is_reached_by(self, share: Ratio, part: u64, whole: u64) -> bool {
        let (ours, share) = (self.0 as u128, share.units() as u128);
        part as u128 * (Self::UNITS as u128 * Ratio::UNITS as u128)
            >= ours.saturating_mul(share).saturating_mul(whole as u128)
    }

    /// As a number.
    #[must_use]
    pub const fn as_number(self) -> f64 {
        self.0 as f64 / Self::UNITS as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_factor_is_the_nearest_billionth() {
        assert_eq!(Factor::from_number(2.0), Some(Factor::thousandths(2_000)));
        assert_eq!(Factor::from_number(0.000_000_001_4), Some(Factor(1)));
        assert_eq!(Factor::from_number(-0.1), None);
        assert_eq!(Factor::from_number(f64::NAN), None);
        let tenth = Ratio::percent(10);
        assert!(Factor::thousandths(2_500).times_is_reached_by(tenth, 25, 100));
        assert!(!Factor::thousandths(2_501).times_is_reached_by(tenth, 25, 100));
        assert!((Factor::thousandths(1_500).as_number() - 1.5).abs() < 1e-12);
    }
}
