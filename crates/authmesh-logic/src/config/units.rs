//! How durations, sizes and shares are written.

use core::time::Duration;

use crate::Ratio;

/// Why a text is no quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuantityError {
    /// There is no number, or more than a number and a unit.
    NotANumber,
    /// The unit is missing.
    UnitMissing,
    /// The unit is none of those known.
    UnitUnknown,
    /// It is below zero.
    Negative,
    /// It is larger than can be meant.
    TooLarge,
}

/// The longest duration that can be written: a year.
pub const LONGEST_DURATION: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A duration: whole numbers, each with a unit of `ms`, `s`, `m`, `h` or `d`, the larger first:
/// `250ms`, `2s`, `1m30s`.
///
/// # Errors
/// Says what is wrong with the text; zero is no error.
pub fn duration(text: &str) -> Result<Duration, QuantityError> {
    const UNITS: [(&str, u64); 5] =
        [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
    let mut rest = text;
    let mut total: u64 = 0;
    let mut last_unit = u64::MAX;
    while !rest.is_empty() || last_unit == u64::MAX {
        let (number, unit, behind) = number_and_unit(rest)?;
        let &(_, factor) =
            UNITS.iter().find(|(name, _)| *name == unit).ok_or(QuantityError::UnitUnknown)?;
        if factor >= last_unit {
            return Err(QuantityError::NotANumber);
        }
        last_unit = factor;
        let part = number.checked_mul(factor).ok_or(QuantityError::TooLarge)?;
        total = total.checked_add(part).ok_or(QuantityError::TooLarge)?;
        rest = behind;
    }
    let total = Duration::from_millis(total);
    if total > LONGEST_DURATION { Err(QuantityError::TooLarge) } else { Ok(total) }
}

/// A size in bytes: a whole number with a unit of `B`, `KiB`, `MiB` or `GiB`.
///
/// # Errors
/// Says what is wrong with the text; zero is no error.
pub fn size(text: &str) -> Result<u64, QuantityError> {
    let (number, unit, behind) = number_and_unit(text)?;
    let shift = match unit {
        "B" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        _ => return Err(QuantityError::UnitUnknown),
    };
    if !behind.is_empty() {
        return Err(QuantityError::NotANumber);
    }
    number.checked_mul(1 << shift).ok_or(QuantityError::TooLarge)
}

/// A share, in percent with at most three places: `50%`, `0.5%`.
///
/// # Errors
/// Says what is wrong with the text; zero is no error.
pub fn share(text: &str) -> Result<Ratio, QuantityError> {
    let number = text.strip_suffix('%').ok_or(QuantityError::UnitMissing)?;
    if number.starts_with('-') {
        return Err(QuantityError::Negative);
    }
    let lawful = !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && number.split_once('.').is_none_or(|(_, places)| matches!(places.len(), 1..=3));
    let percent: f64 = number.parse().ok().filter(|_| lawful).ok_or(QuantityError::NotANumber)?;
    Ratio::from_fraction(percent / 100.0).ok_or(QuantityError::TooLarge)
}

/// The number and the unit at the beginning of `text`, and what stands behind them.
fn number_and_unit(text: &str) -> Result<(u64, &str, &str), QuantityError> {
    if text.starts_with('-') {
        return Err(QuantityError::Negative);
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(digits);
    if number.is_empty() {
        return Err(QuantityError::NotANumber);
    }
    let number = number.parse().map_err(|_| QuantityError::TooLarge)?;
    let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (unit, behind) = rest.split_at(letters);
    if unit.is_empty() {
        let fault =
            if rest.is_empty() { QuantityError::UnitMissing } else { QuantityError::NotANumber };
        return Err(fault);
    }
    Ok((number, unit, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        use QuantityError::*;
        for (text, wanted) in [
            ("250ms", Ok(250)),
            ("2s", Ok(2_000)),
            ("1m30s", Ok(90_000)),
            ("1h", Ok(3_600_000)),
            ("7d", Ok(604_800_000)),
            ("0s", Ok(0)),
            ("2", Err(UnitMissing)),
            ("1m30", Err(UnitMissing)),
            ("", Err(NotANumber)),
            ("s", Err(NotANumber)),
            ("1.5s", Err(NotANumber)),
            ("30s1m", Err(NotANumber)),
            ("1s1s", Err(NotANumber)),
            ("1 s", Err(NotANumber)),
            ("-2s", Err(Negative)),
            ("2sec", Err(UnitUnknown)),
            ("366d", Err(TooLarge)),
            ("99999999999999999999s", Err(TooLarge)),
            ("18446744073709551615h", Err(TooLarge)),
        ] {
            assert_eq!(duration(text), wanted.map(Duration::from_millis), "{text}");
        }
    }

    #[test]
    fn sizes_are_read() {
        use QuantityError::*;
        for (text, wanted) in [
            ("1MiB", Ok(1 << 20)),
            ("8KiB", Ok(8192)),
            ("2GiB", Ok(2 << 30)),
            ("100B", Ok(100)),
            ("1MB", Err(UnitUnknown)),
            ("1MiB1KiB", Err(NotANumber)),
            ("1", Err(UnitMissing)),
            ("-1B", Err(Negative)),
            ("18446744073709551615GiB", Err(TooLarge)),
        ] {
            assert_eq!(size(text), wanted, "{text}");
        }
    }

    #[test]
    fn shares_are_read() {
        use QuantityError::*;
        for (text, wanted) in [
            ("50%", Ok(Ratio::percent(50))),
            ("100%", Ok(Ratio::ONE)),
            ("0%", Ok(Ratio::ZERO)),
            ("12.5%", Ok(Ratio::from_fraction(0.125).unwrap())),
            ("50", Err(UnitMissing)),
            ("%", Err(NotANumber)),
            ("1e1%", Err(NotANumber)),
            ("1.2345%", Err(NotANumber)),
            ("-1%", Err(Negative)),
            ("101%", Err(TooLarge)),
        ] {
            assert_eq!(share(text), wanted, "{text}");
        }
    }
}
