//! Reads how long a dependency asks to be left alone.

use core::time::Duration;

/// The wait that a `Retry-After` field asks for, in seconds or as a date (RFC 9110 §10.2.3), the
/// date compared with `now`, the time of day in seconds since 1970. `None` if it is not lawful; a
/// date that has passed is no wait.
#[must_use]
pub fn retry_after(field: &[u8], now: u64) -> Option<Duration> {
    let text = core::str::from_utf8(field).ok()?.trim_ascii();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are longer than anybody waits.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    Some(Duration::from_secs(date(text)?.saturating_sub(now)))
}

/// Seconds since 1970 of a date in the one form that is still written (RFC 9110 §5.6.7,
/// `IMF-fixdate`): `Sun, 06 Nov 1994 08:49:37 GMT`.
fn date(text: &str) -> Option<u64> {
    let (_, rest) = text.split_once(", ")?;
    let mut words = rest.split(' ');
    let mut word = || words.next();
    let day = number(word()?, 2)?;
    let month = word()?;
    let month = MONTHS.iter().position(|name| *name == month)? as u64 + 1;
    let year = number(word()?, 4)?;
    let mut clock = word()?.split(':').map(|part| number(part, 2));
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let is_lawful = word()? == "GMT"
        && word().is_none()
        && clock.next().is_none()
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    is_lawful
        .then(|| days(year, month, day))?
        .map(|days| days * 86_400 + hour * 3_600 + minute * 60 + second)
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

fn number(text: &str, digits: usize) -> Option<u64> {
    let is_number = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

/// Days from 1 January 1970 (Howard Hinnant, `days_from_civil`); earlier is `None`.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let year = if month <= 2 { year.checked_sub(1)? } else { year };
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    (era * 146_097 + of_era).checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_read_and_nothing_else() {
        let now = 784_111_777;
        let rows = [
            ("0", Some(0)),
            ("120", Some(120)),
            (" 5 ", Some(5)),
            ("99999999999999999999", Some(u64::MAX)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(0)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Tue, 29 Feb 2000 00:00:00 GMT", Some(951_782_400 - now)),
            ("Wed, 31 Dec 1969 23:59:59 GMT", None),
            ("Sunday, 06-Nov-94 08:49:37 GMT", None),
            ("Sun, 06 Nov 1994 08:49:37 CET", None),
            ("Sun, 6 Nov 1994 08:49:37 GMT", None),
            ("Sun, 06 Nov 1994 24:00:00 GMT", None),
            ("-1", None),
            ("1.5", None),
            ("", None),
        ];
        for (field, seconds) in rows {
            let wanted = seconds.map(Duration::from_secs);
            assert_eq!(retry_after(field.as_bytes(), now), wanted, "{field}");
        }
    }
}
