//! Times in a token: seconds since 1970, also with a fraction.

use core::time::Duration;

use super::{Json, TokenFault};

/// A time in a token (RFC 7519 §2, NumericDate), in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NumericDate(i64);

/// The end of the year 9999, in seconds since 1970: what lies beyond is no date that anybody means.
const LAST: f64 = 253_402_300_799.0;

impl NumericDate {
    /// The time that a claim holds.
    ///
    /// # Errors
    ///
    /// [`TokenFault::MalformedClaim`] if it is no number, or none that is a date.
    pub fn of(claim: &Json) -> Result<Self, TokenFault> {
        match claim {
            #[expect(clippy::cast_possible_truncation, reason = "within the range just asked")]
            Json::Number(seconds) if (-LAST..=LAST).contains(seconds) => {
                Ok(Self((seconds * 1_000.0) as i64))
            }
            _ => Err(TokenFault::MalformedClaim),
        }
    }

    /// The time of day, given as time since 1970.
    #[must_use]
    pub fn since_1970(time: Duration) -> Self {
        Self(i64::try_from(time.as_millis()).unwrap_or(i64::MAX))
    }

    /// The time so much later.
    #[must_use]
    pub fn later(self, time: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(time.as_millis()).unwrap_or(i64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_a_number_of_seconds_that_is_a_date() {
        let date = |seconds: f64| NumericDate::of(&Json::Number(seconds));
        assert_eq!(date(1.5), Ok(NumericDate(1_500)));
        assert_eq!(date(-1.0), Ok(NumericDate(-1_000)));
        assert_eq!(date(LAST), Ok(NumericDate(253_402_300_799_000)));
        for seconds in [1e300, -1e300, LAST + 1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(date(seconds), Err(TokenFault::MalformedClaim), "{seconds}");
        }
        for claim in [Json::Null, Json::from("1"), Json::Boolean(true), Json::from([1.0])] {
            assert_eq!(NumericDate::of(&claim), Err(TokenFault::MalformedClaim), "{claim:?}");
        }
        let now = NumericDate::since_1970(Duration::from_secs(1));
        assert_eq!(now.later(Duration::from_millis(500)), date(1.5).unwrap());
        assert_eq!(now.later(Duration::MAX), NumericDate(i64::MAX));
    }
}
