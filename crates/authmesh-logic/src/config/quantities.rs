//! Takes quantities out of a table: numbers, durations, sizes, shares, each with or without "off".

use alloc::format;
use core::ops::RangeInclusive;
use core::time::Duration;

use super::findings::Written;
use super::reader::Reader;
use super::tree::{Entry, Value};
use super::units::{self, QuantityError};
use super::values::{OFF, is_off};
use super::{Code, Problem, Span};
use crate::{Factor, Ratio};

impl<'tree> Reader<'tree, '_> {
    /// A whole number in `range`; 0 outside the range is its own problem.
    pub(super) fn count(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u32>,
    ) -> Option<Written<u32>> {
        let entry = self.take(key)?;
        self.as_count(key, entry, range, false)
    }

    /// As [`Self::count`]; `"off"` is `None`.
    pub(super) fn count_or_off(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u32>,
    ) -> Option<Written<Option<u32>>> {
        let entry = self.take(key)?;
        if let Some(off) = is_off(entry) {
            return Some(off);
        }
        self.as_count(key, entry, range, true).map(|count| count.with(Some(count.value)))
    }

    fn as_count(
        &mut self,
        key: &str,
        entry: &Entry,
        range: RangeInclusive<u32>,
        can_be_off: bool,
    ) -> Option<Written<u32>> {
        let span = entry.node.span;
        let Value::Integer(number) = entry.node.value else {
            self.wrong_type(&entry.node, "an integer");
            return None;
        };
        if number == 0 && !range.contains(&0) {
            self.zero(key, span, can_be_off);
            return None;
        }
        let count = u32::try_from(number).ok().filter(|count| range.contains(count));
        if count.is_none() {
            let (least, most) = range.into_inner();
            let sentence = format!("`{key}` takes a number from {least} to {most}");
            self.report(Problem::new(Code::NotAllowed, span, sentence));
        }
        count.map(|value| Written { value, key: entry.key, span })
    }

    pub(super) fn duration(&mut self, key: &'static str) -> Option<Written<Duration>> {
        let entry = self.take(key)?;
        self.as_duration(key, entry, false)
    }

    /// As [`Self::duration`]; `"off"` is `None`.
    pub(super) fn duration_or_off(
        &mut self,
        key: &'static str,
    ) -> Option<Written<Option<Duration>>> {
        let entry = self.take(key)?;
        if let Some(off) = is_off(entry) {
            return Some(off);
        }
        self.as_duration(key, entry, true).map(|time| time.with(Some(time.value)))
    }

    fn as_duration(
        &mut self,
        key: &str,
        entry: &'tree Entry,
        can_be_off: bool,
    ) -> Option<Written<Duration>> {
        let span = entry.node.span;
        if let Value::Integer(_) | Value::Float(_) = entry.node.value {
            let example = match entry.node.value {
                Value::Integer(seconds) if seconds > 0 => format!("{seconds}s"),
                _ => "2s".into(),
            };
            let problem = Problem::new(Code::BadDuration, span, "a duration needs a unit");
            self.report(problem.help(format!("{key} = \"{example}\" (units: ms, s, m, h, d)")));
            return None;
        }
        let text = self.as_string(entry)?;
        match units::duration(text.value) {
            Ok(Duration::ZERO) => self.zero(key, span, can_be_off),
            Ok(time) => return Some(text.with(time)),
            Err(fault) => {
                let sentence = match fault {
                    QuantityError::NotANumber => "this is not a duration",
                    QuantityError::UnitMissing => "a duration needs a unit",
                    QuantityError::UnitUnknown => "this unit of time is not known",
                    QuantityError::Negative => "a duration must be positive",
                    QuantityError::TooLarge => "a duration is at most a year",
                };
                let is_bare = text.value.bytes().all(|byte| byte.is_ascii_digit());
                let example = match fault {
                    QuantityError::UnitMissing if is_bare => format!("{}s", text.value),
                    _ => "1m30s".into(),
                };
                let help = format!("{key} = \"{example}\" (units: ms, s, m, h, d)");
                self.report(Problem::new(Code::BadDuration, span, sentence).help(help));
            }
        }
        None
    }

    /// A size in bytes: an integer, or a text with a unit.
    pub(super) fn size(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u64>,
    ) -> Option<Written<u64>> {
        let entry = self.take(key)?;
        self.as_size(key, entry, range, false)
    }

    /// As [`Self::size`]; `"off"` is `None`.
    pub(super) fn size_or_off(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u64>,
    ) -> Option<Written<Option<u64>>> {
        let entry = self.take(key)?;
        if let Some(off) = is_off(entry) {
            return Some(off);
        }
        self.as_size(key, entry, range, true).map(|size| size.with(Some(size.value)))
    }

    fn as_size(
        &mut self,
        key: &str,
        entry: &Entry,
        range: RangeInclusive<u64>,
        can_be_off: bool,
    ) -> Option<Written<u64>> {
        let span = entry.node.span;
        let size = match &entry.node.value {
            Value::Integer(number) => u64::try_from(*number).map_err(|_| QuantityError::Negative),
            Value::String(text) => units::size(text),
            _ => {
                self.wrong_type(&entry.node, "a size");
                return None;
            }
        };
        let sentence = match size {
            Ok(0) if !range.contains(&0) => {
                self.zero(key, span, can_be_off);
                return None;
            }
            Ok(value) if range.contains(&value) => {
                return Some(Written { value, key: entry.key, span });
            }
            Err(QuantityError::UnitMissing | QuantityError::UnitUnknown) => {
                "a size is a number of bytes, or a text with the unit B, KiB, MiB or GiB".into()
            }
            Err(QuantityError::NotANumber) => "this is not a size".into(),
            Ok(_) | Err(QuantityError::Negative | QuantityError::TooLarge) => {
                format!("`{key}` takes {} to {} bytes", range.start(), range.end())
            }
        };
        let help = format!("{key} = \"64KiB\"");
        self.report(Problem::new(Code::NotAllowed, span, sentence).help(help));
        None
    }

    /// A number in `range`, with or without a fraction.
    pub(super) fn factor(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u32>,
    ) -> Option<Written<Factor>> {
        let entry = self.take(key)?;
        self.as_factor(key, entry, range)
    }

    /// As [`Self::factor`]; `"off"` is `None`.
    pub(super) fn factor_or_off(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u32>,
    ) -> Option<Written<Option<Factor>>> {
        let entry = self.take(key)?;
        if let Some(off) = is_off(entry) {
            return Some(off);
        }
        self.as_factor(key, entry, range).map(|factor| factor.with(Some(factor.value)))
    }

    fn as_factor(
        &mut self,
        key: &str,
        entry: &Entry,
        range: RangeInclusive<u32>,
    ) -> Option<Written<Factor>> {
        let span = entry.node.span;
        let number = match entry.node.value {
            Value::Integer(number) => number as f64,
            Value::Float(number) => number,
            _ => {
                self.wrong_type(&entry.node, "a number");
                return None;
            }
        };
        let (least, most) = range.into_inner();
        let is_lawful = (f64::from(least)..=f64::from(most)).contains(&number);
        let factor = Factor::from_number(number).filter(|_| is_lawful);
        if factor.is_none() {
            let sentence = format!("`{key}` takes a number from {least} to {most}");
            self.report(Problem::new(Code::NotAllowed, span, sentence));
        }
        factor.map(|value| Written { value, key: entry.key, span })
    }

    /// A share in percent; `"off"` is `None`.
    pub(super) fn share_or_off(&mut self, key: &'static str) -> Option<Written<Option<Ratio>>> {
        let entry = self.take(key)?;
        if let Some(off) = is_off(entry) {
            return Some(off);
        }
        let share = self.as_share(key, entry)?;
        if share.value == Ratio::ZERO {
            self.zero(key, share.span, true);
            return None;
        }
        Some(share.with(Some(share.value)))
    }

    /// A share in percent, 0 % included.
    pub(super) fn share(&mut self, key: &'static str) -> Option<Written<Ratio>> {
        let entry = self.take(key)?;
        self.as_share(key, entry)
    }

    fn as_share(&mut self, key: &str, entry: &'tree Entry) -> Option<Written<Ratio>> {
        let text = self.as_string(entry)?;
        match units::share(text.value) {
            Ok(share) => Some(text.with(share)),
            Err(_) => {
                let sentence = "a share is written in percent, from 0 to 100";
                let problem = Problem::new(Code::NotAllowed, text.span, sentence);
                self.report(problem.help(format!("{key} = \"50%\"")));
                None
            }
        }
    }

    fn zero(&mut self, key: &str, span: Span, can_be_off: bool) {
        let sentence = format!("0 does not mean unlimited or off in `{key}`");
        let help = if can_be_off {
            format!("{key} = \"{OFF}\"")
        } else {
            format!("`{key}` cannot be switched off; leave it out for its default")
        };
        self.report(Problem::new(Code::ZeroIsNotOff, span, sentence).help(help));
    }
}
