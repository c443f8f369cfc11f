//! A day of the calendar, as it is written in a file.

use core::fmt;
use core::str::FromStr;

/// A day of the Gregorian calendar from 1970 on, written `2027-01-31`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

/// A text is no day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotADate;

impl Date {
    /// The day so many days after 1970-01-01. Days after the year 9999 are its last.
    ///
    /// Counts as Howard Hinnant's `civil_from_days`: years begin in March, so that the leap day is
    /// the last of its year.
    #[must_use]
    pub const fn from_days(days: u64) -> Self {
        const MOST_DAYS: u64 = 2_932_896;
        let days = if days > MOST_DAYS { MOST_DAYS } else { days } + 719_468;
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = era * 400 + year_of_era + if month <= 2 { 1 } else { 0 };
        Self { year: year as u16, month: month as u8, day: day as u8 }
    }

    /// How many days it is after 1970-01-01.
    #[must_use]
    pub const fn days(self) -> u64 {
        let year = self.year as u64 - if self.month <= 2 { 1 } else { 0 };
        let (era, year_of_era) = (year / 400, year % 400);
        let month_from_march = (self.month as u64 + 9) % 12;
        let day_of_year = (153 * month_from_march + 2) / 5 + self.day as u64 - 1;
        era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year
            - 719_468
    }
}

impl FromStr for Date {
    type Err = NotADate;

    fn from_str(text: &str) -> Result<Self, NotADate> {
        let number = |range: core::ops::Range<usize>| {
            let digits = text.get(range).filter(|part| part.bytes().all(|b| b.is_ascii_digit()));
            digits.and_then(|digits| digits.parse::<u16>().ok()).ok_or(NotADate)
        };
        if text.len() != 10 || text.get(4..5) != Some("-") || text.get(7..8) != Some("-") {
            return Err(NotADate);
        }
        let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
        if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return Err(NotADate);
        }
        let date = Self { year, month: month as u8, day: day as u8 };
        // A day that its month does not have is another day once it is counted.
        if Self::from_days(date.days()) == date { Ok(date) } else { Err(NotADate) }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn known_days_have_their_numbers() {
        for (text, days) in [
            ("1970-01-01", 0),
            ("1972-02-29", 789),
            ("2000-02-29", 11_016),
            ("2026-11-25", 20_782),
            ("9999-12-31", 2_932_896),
        ] {
            let date: Date = text.parse().unwrap();
            assert_eq!((date.days(), date.to_string().as_str()), (days, text));
            assert_eq!(Date::from_days(days), date);
        }
        assert_eq!(Date::from_days(u64::MAX).to_string(), "9999-12-31");
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for text in [
            "",
            "2026-1-01",
            "2026-02-29",
            "2100-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-04-31",
            "1969-12-31",
            "2026/01/01",
            "+026-01-01",
            "2026-01-01x",
            "éé26-01-01",
        ] {
            assert_eq!(text.parse::<Date>(), Err(NotADate), "{text}");
        }
    }
}
