//! With which probability a call is refused, from what was asked and what was served.

use crate::{Factor, Ratio};

/// A published formula, by the name of its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Formula {
    /// `max(0, (requests − K · accepts) / (requests + 1))`
    GoogleSre {
        /// `K`: how many requests are sent for each that is accepted; 2 is usual, less is stricter.
        multiplier: Factor,
    },
    /// `min(most, max(0, (requests − accepts / threshold) / (requests + 1)))`
    Failsafe {
        /// The share that must succeed before anything is refused.
        threshold: Ratio,
        /// The highest probability.
        most: Ratio,
    },
    /// As [`Formula::Failsafe`], and to the power of `1 / aggression`.
    EnvoyAdmission {
        /// The share that must succeed before anything is refused.
        threshold: Ratio,
        /// The highest probability.
        most: Ratio,
        /// 1 is linear; more refuses more, earlier.
        aggression: Factor,
    },
}

impl Formula {
    /// The formula of the book, with its multiplier of 2.
    pub const GOOGLE_SRE: Self = Self::GoogleSre { multiplier: Factor::thousandths(2_000) };
    /// The formula of failsafe-go, with its defaults.
    pub const FAILSAFE: Self =
        Self::Failsafe { threshold: Ratio::percent(90), most: Ratio::percent(90) };
    /// The formula of Envoy, with its defaults.
    pub const ENVOY_ADMISSION: Self = Self::EnvoyAdmission {
        threshold: Ratio::percent(95),
        most: Ratio::percent(80),
        aggression: Factor::ONE,
    };

    /// The probability, 0 to 1, of refusing the next call.
    #[must_use]
    pub fn rejection(&self, requests: u64, accepts: u64) -> f64 {
        let missing =
            |expected: f64| ((requests as f64 - expected) / (requests as f64 + 1.0)).max(0.0);
        let by_threshold = |threshold: Ratio| match threshold {
            // No success is asked for, so none is missing.
            Ratio::ZERO => 0.0,
            threshold => missing(accepts as f64 / threshold.as_fraction()),
        };
        match *self {
            Self::GoogleSre { multiplier } => missing(multiplier.as_number() * accepts as f64),
            Self::Failsafe { threshold, most } => by_threshold(threshold).min(most.as_fraction()),
            Self::EnvoyAdmission { threshold, most, aggression } => {
                // Below 1 the formula would refuse less than what is missing; its source forbids it.
                let exponent = 1.0 / aggression.as_number().max(1.0);
                libm::pow(by_threshold(threshold), exponent).min(most.as_fraction())
            }
        }
    }

    /// The word used in the configuration and in metrics.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::GoogleSre { .. } => "google_sre",
            Self::Failsafe { .. } => "failsafe",
            Self::EnvoyAdmission { .. } => "envoy_admission",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_formula_gives_the_numbers_of_its_source() {
        let twice = Formula::EnvoyAdmission {
            threshold: Ratio::percent(95),
            most: Ratio::percent(80),
            aggression: Factor::thousandths(2_000),
        };
        let table = [
            (Formula::GOOGLE_SRE, 100, 0, 0.990_099),
            (Formula::GOOGLE_SRE, 0, 0, 0.0),
            (Formula::GOOGLE_SRE, 100, 50, 0.0),
            (Formula::FAILSAFE, 100, 95, 0.0),
            (Formula::FAILSAFE, 1_000, 10, 0.9),
            (Formula::ENVOY_ADMISSION, 100, 50, 0.468_994),
            (twice, 100, 50, 0.684_832),
            (Formula::ENVOY_ADMISSION, 100, 0, 0.8),
        ];
        for (formula, requests, accepts, expected) in table {
            let found = formula.rejection(requests, accepts);
            assert!((found - expected).abs() < 1e-6, "{formula:?} {requests} {accepts}: {found}");
        }
    }

    proptest! {
        #[test]
        fn more_that_is_served_never_means_more_that_is_refused(
            requests in 0_u64..10_000, accepts in 0_u64..10_000,
        ) {
            for formula in [Formula::GOOGLE_SRE, Formula::FAILSAFE, Formula::ENVOY_ADMISSION] {
                let (before, after) =
                    (formula.rejection(requests, accepts), formula.rejection(requests, accepts + 1));
                prop_assert!((0.0..1.0).contains(&before) && after <= before);
            }
        }
    }
}
