//! Reads the times of certificates and revocation lists.

use core::time::Duration;

use super::der::{BadDer, Tag, Values};
use super::lifetime::Lifetime;

/// What a validity field holds: the first and the last moment.
pub(super) fn lifetime(value: &[u8]) -> Result<Lifetime, BadDer> {
    let mut times = Values::of(value);
    let (from, until) = (time(&mut times)?, time(&mut times)?);
    times.end()?;
    Ok(Lifetime { from, until })
}

/// A time as RFC 5280 §4.1.2.5 allows it: with seconds, in UTC. What lies before 1970 is 1970.
pub(super) fn time(times: &mut Values<'_>) -> Result<Duration, BadDer> {
    let (tag, text) = times.next()?;
    let (year, rest) = match tag {
        Tag::UTC_TIME => {
            let (year, rest) = number(text, 2)?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        Tag::GENERALIZED_TIME => number(text, 4)?,
        _ => return Err(BadDer),
    };
    let (month, rest) = number(rest, 2)?;
    let (day, rest) = number(rest, 2)?;
    let (hour, rest) = number(rest, 2)?;
    let (minute, rest) = number(rest, 2)?;
    let (second, rest) = number(rest, 2)?;
    let lawful = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60
        && rest == b"Z";
    if !lawful {
        return Err(BadDer);
    }
    let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    Ok(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

fn number(text: &[u8], digits: usize) -> Result<(i64, &[u8]), BadDer> {
    let (number, rest) = text.split_at_checked(digits).ok_or(BadDer)?;
    if !number.iter().all(u8::is_ascii_digit) {
        return Err(BadDer);
    }
    Ok((number.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')), rest))
}

/// Days since 1970-01-01 in the Gregorian calendar, counted in years that begin in March, so that
/// the leap day is the last of its year.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    fn value(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).unwrap();
        [&[tag, length], content].concat()
    }

    fn seconds(tag: u8, text: &str) -> Result<u64, BadDer> {
        time(&mut Values::of(&value(tag, text.as_bytes()))).map(|time| time.as_secs())
    }

    #[test]
    fn times_are_seconds_since_1970() {
        for (tag, text, expected) in [
            (0x17, "700101000000Z", 0),
            (0x17, "491231235959Z", 2_524_607_999),
            (0x17, "000229120000Z", 951_825_600),
            (0x18, "20500101000000Z", 2_524_608_000),
            (0x18, "21200101000000Z", 4_733_510_400),
            (0x18, "19600101000000Z", 0),
        ] {
            assert_eq!(seconds(tag, text), Ok(expected), "{text}");
        }
        for (tag, text) in [
            (0x17, "7001010000Z"),
            (0x17, "700101000000"),
            (0x17, "700101000000+0100"),
            (0x17, "701301000000Z"),
            (0x17, "700101240000Z"),
            (0x18, "700101000000Z"),
            (0x18, "2050010100000.Z"),
            (0x02, "700101000000Z"),
        ] {
            assert_eq!(seconds(tag, text), Err(BadDer), "{text}");
        }
    }
}
