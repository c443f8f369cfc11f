//! A share between nothing and everything, exact.

/// A share in thousandths of a percent, from 0 to 100 %, compared in whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ratio(u32);

impl Ratio {
    /// Everything.
    pub const ONE: Self = Self(Self::UNITS);
    /// Nothing.
    pub const ZERO: Self = Self(0);
    pub(crate) const UNITS: u32 = 100_000;

    /// `percent` of a hundred; more than 100 is 100.
    #[must_use]
    pub const fn percent(percent: u32) -> Self {
        if percent >= 100 { Self::ONE } else { Self(percent * (Self::UNITS / 100)) }
    }

    /// `thousandths` of one; more than 1000 is one.
    #[must_use]
    pub const fn per_mille(thousandths: u32) -> Self {
        if thousandths >= 1_000 { Self::ONE } else { Self(thousandths * (Self::UNITS / 1_000)) }
    }

    /// The nearest ratio to `fraction`; outside `0.0..=1.0` (or not a number) is `None`.
    #[must_use]
    pub fn from_fraction(fraction: f64) -> Option<Self> {
        if !(0.0..=1.0).contains(&fraction) {
            return None;
        }
        // In range by the check above, so the cast neither wraps nor saturates.
        Some(Self((fraction * f64::from(Self::UNITS) + 0.5) as u32))
    }

    /// What is left of everything.
    #[must_use]
    pub const fn rest(self) -> Self {
        Self(Self::UNITS - self.0)
    }

    /// In thousandths of a percent.
    pub(crate) const fn units(self) -> u32 {
        self.0
    }

    /// As a fraction of one.
    #[must_use]
    pub fn as_fraction(self) -> f64 {
        f64::from(self.0) / f64::from(Self::UNITS)
    }

    /// Whether `part` of `whole` is at least this ratio, in integer arithmetic.
    #[must_use]
    pub const fn is_reached_by(self, part: u64, whole: u64) -> bool {
        part as u128 * Self::UNITS as u128 >= self.0 as u128 * whole as u128
    }

    /// Whether `part` of `whole` is at most this ratio, in integer arithmetic.
    #[must_use]
    pub const fn is_not_exceeded_by(self, part: u64, whole: u64) -> bool {
        part as u128 * Self::UNITS as u128 <= self.0 as u128 * whole as u128
    }

    /// This share of `whole`, rounded up.
    #[must_use]
    pub const fn of(self, whole: u64) -> u64 {
        (self.0 as u128 * whole as u128).div_ceil(Self::UNITS as u128) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_itself_is_reached() {
        let half = Ratio::percent(50);
        assert!(half.is_reached_by(10, 20));
        assert!(!half.is_reached_by(9, 20));
        assert!(half.is_not_exceeded_by(10, 20) && !half.is_not_exceeded_by(11, 20));
        assert_eq!(half.of(21), 11);
        assert_eq!((Ratio::per_mille(999).rest(), Ratio::ONE.rest()), (Ratio(100), Ratio::ZERO));
        assert_eq!(Ratio::from_fraction(0.333), Some(Ratio(33_300)));
        assert_eq!(Ratio::from_fraction(1.1), None);
    }
}
