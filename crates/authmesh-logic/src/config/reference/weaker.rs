//! Decides whether a change of a setting protects more or less.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::IpAddr;

use crate::config::settings::toml_text;
use crate::config::tree::{Node, Value};
use crate::config::units;
use crate::config::values::OFF;
use crate::discovery::Address;

/// Which change of a setting of security protects less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weaker {
    /// A larger number, size or duration; "off" is the largest, and so is what is not written.
    Larger,
    /// A longer duration; "off" is none at all.
    LongerThanOff,
    /// One more in the list; what is not written is an empty list.
    OneMore,
    /// One more in the list; what is not written is all there is.
    OneMoreOfAll,
    /// One less in the list; what is not written is an empty list.
    OneLess,
    /// A network that lies in none of those before.
    WiderNetwork,
    /// An address that more can reach: a Unix socket, loopback, other machines. What is not written
    /// is a Unix socket.
    Reach,
    /// An address of this machine becomes one that other machines reach.
    Exposed,
    /// A word of a later row. The empty word is what is not written; an unknown word is weaker than
    /// any.
    Towards(&'static [&'static [&'static str]]),
    /// Another value, or none where there was one.
    Lost,
    /// Any change, in these words.
    Change(&'static str),
}

/// What a change does to the protection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// It protects less.
    Weaker,
    /// It protects more.
    Stronger,
    /// Neither.
    Neutral,
}

impl Effect {
    /// The word used in reports and JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Weaker => "weaker",
            Self::Stronger => "stronger",
            Self::Neutral => "neutral",
        }
    }
}

impl Weaker {
    /// The change that protects less, in words; `kind` is what the key takes.
    #[must_use]
    pub fn words(self, kind: &str) -> String {
        match self {
            Self::Larger => {
                let more = match kind.split([' ', ',']).next() {
                    Some("duration") => "longer",
                    Some("size") => "larger",
                    _ => "more",
                };
                let off = if kind.contains("`off`") { " or `off`" } else { "" };
                format!("{more}{off}")
            }
            Self::LongerThanOff => "longer".to_string(),
            Self::OneMore => "one more".to_string(),
            Self::OneMoreOfAll => "one more, or all".to_string(),
            Self::OneLess => "one less".to_string(),
            Self::WiderNetwork => "a network more, or a larger one".to_string(),
            Self::Reach => "from a Unix socket to loopback, or on to other machines".to_string(),
            Self::Exposed => "from this machine to others".to_string(),
            Self::Towards(rows) => {
                let words = |row: &&[&str]| {
                    let written = row.iter().filter(|word| !word.is_empty());
                    written.map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
                };
                rows.iter().map(words).collect::<Vec<_>>().join(" → ")
            }
            Self::Lost => "another, or left out".to_string(),
            Self::Change(words) => words.to_string(),
        }
    }

    /// What the change from `before` to `after` does; `None` is not written and has no default.
    #[must_use]
    pub fn judge(self, before: Option<&Value>, after: Option<&Value>) -> Effect {
        match self {
            Self::Larger => by_rank(&amount(before), &amount(after)),
            Self::LongerThanOff => by_rank(&amount_or_none(before), &amount_or_none(after)),
            Self::OneMore => by_lists(&texts(before), &texts(after)),
            Self::OneMoreOfAll => match (before, after) {
                (Some(_), Some(_)) => by_lists(&texts(before), &texts(after)),
                (before, after) => by_rank(&before.is_none(), &after.is_none()),
            },
            Self::OneLess => by_lists(&texts(after), &texts(before)),
            Self::WiderNetwork => by_networks(&texts(before), &texts(after)),
            Self::Reach => by_rank(&reach(before), &reach(after)),
            Self::Exposed => by_rank(&(reach(before) == OUTSIDE), &(reach(after) == OUTSIDE)),
            Self::Towards(rows) => by_rank(&row(rows, before), &row(rows, after)),
            Self::Lost if before.is_none() && after.is_some() => Effect::Stronger,
            Self::Lost | Self::Change(_) if before.map(toml_text) == after.map(toml_text) => {
                Effect::Neutral
            }
            Self::Lost | Self::Change(_) => Effect::Weaker,
        }
    }
}

/// Into how many parts a share is cut to be compared.
const SHARE_PARTS: u64 = 1_000_000;

/// The reach of an address that is not of this machine.
const OUTSIDE: u8 = 2;

fn by_rank<T: Ord>(before: &T, after: &T) -> Effect {
    match after.cmp(before) {
        core::cmp::Ordering::Less => Effect::Stronger,
        core::cmp::Ordering::Equal => Effect::Neutral,
        core::cmp::Ordering::Greater => Effect::Weaker,
    }
}

/// A number, the bytes of a size, the milliseconds of a duration; two values of one key compare.
pub(in crate::config) fn amount(value: Option<&Value>) -> u128 {
    let amount = match value {
        Some(Value::Integer(number)) => u128::try_from(*number).ok(),
        Some(Value::String(text)) if text == OFF => None,
        Some(Value::String(text)) => units::duration(text)
            .map(|time| time.as_millis())
            .or_else(|_| units::size(text).map(u128::from))
            .or_else(|_| units::share(text).map(|share| u128::from(share.of(SHARE_PARTS))))
            .ok(),
        _ => None,
    };
    amount.unwrap_or(u128::MAX)
}

/// As [`amount`], where "off" is nothing.
fn amount_or_none(value: Option<&Value>) -> u128 {
    match value {
        Some(Value::String(text)) if text == OFF => 0,
        value => amount(value),
    }
}

/// The members of a list as texts; a single value is a list of one, a table a list of its keys and of
/// what stands under each: a key with nothing under it says something, too.
pub(in crate::config) fn texts(value: Option<&Value>) -> BTreeSet<String> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => toml_text(other),
    };
    match value {
        Some(Value::Array(nodes)) => nodes.iter().map(|node: &Node| text(&node.value)).collect(),
        Some(Value::Table(table)) => table
            .iter()
            .flat_map(|(key, entry)| {
                let members = texts(Some(&entry.node.value)).into_iter();
                let members = members.map(move |member| format!("{key} = {member}"));
                core::iter::once(key.clone()).chain(members)
            })
            .collect(),
        Some(other) => [text(other)].into(),
        None => BTreeSet::new(),
    }
}

fn by_lists(before: &BTreeSet<String>, after: &BTreeSet<String>) -> Effect {
    if !after.is_subset(before) {
        Effect::Weaker
    } else if after.len() < before.len() {
        Effect::Stronger
    } else {
        Effect::Neutral
    }
}

fn by_networks(before: &BTreeSet<String>, after: &BTreeSet<String>) -> Effect {
    let lies_in = |inner: &str, outer: &BTreeSet<String>| {
        outer.iter().any(|outer| outer == inner || contains(outer, inner) == Some(true))
    };
    if !after.iter().all(|network| lies_in(network, before)) {
        Effect::Weaker
    } else if !before.iter().all(|network| lies_in(network, after)) {
        Effect::Stronger
    } else {
        Effect::Neutral
    }
}

/// Whether the network `inner` lies in `outer`; `None` if one of them is none.
fn contains(outer: &str, inner: &str) -> Option<bool> {
    let (outer, inner) = (network(outer)?, network(inner)?);
    let is_same_kind = outer.2 == inner.2;
    let is_longer = inner.1 >= outer.1;
    let shift = 128 - u32::from(outer.1);
    let same_beginning = outer.0.checked_shr(shift) == inner.0.checked_shr(shift);
    Some(is_same_kind && is_longer && same_beginning)
}

/// The bits of a network from the highest of 128, the length of its prefix, whether it is IPv4.
fn network(text: &str) -> Option<(u128, u8, bool)> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address.parse().ok()?, Some(prefix.parse::<u8>().ok()?)),
        None => (text.parse().ok()?, None),
    };
    match address {
        IpAddr::V4(address) => {
            Some((u128::from(address.to_bits()) << 96, prefix.unwrap_or(32).min(32), true))
        }
        IpAddr::V6(address) => Some((address.to_bits(), prefix.unwrap_or(128).min(128), false)),
    }
}

/// How far away something may be reached from. A text that is no address is a path on this machine.
fn reach(value: Option<&Value>) -> u8 {
    let Some(Value::String(text)) = value else { return 0 };
    match text.parse() {
        Ok(Address::Unix(_)) => 0,
        Ok(Address::Tcp(address)) if address.ip().to_canonical().is_loopback() => 1,
        Err(_) if text.starts_with('/') => 0,
        Ok(Address::Tcp(_)) | Err(_) => OUTSIDE,
    }
}

fn row(rows: &[&[&str]], value: Option<&Value>) -> usize {
    let word = match value {
        Some(Value::String(text)) => text.clone(),
        Some(other) => toml_text(other),
        None => String::new(),
    };
    rows.iter().position(|row| row.contains(&word.as_str())).unwrap_or(rows.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Span;

    fn value(text: &str) -> Option<Value> {
        let node = |text: &str| Node { span: Span::default(), value: Value::String(text.into()) };
        match text {
            "" => None,
            _ if text.starts_with('[') => {
                let members = text.trim_matches(['[', ']']).split(' ');
                Some(Value::Array(members.filter(|text| !text.is_empty()).map(node).collect()))
            }
            _ => Some(text.parse().map_or_else(|_| node(text).value, Value::Integer)),
        }
    }

    #[test]
    fn each_direction_knows_the_weaker_side() {
        const CLASS: Weaker = Weaker::Towards(&[&["once"], &["sometimes", ""], &["often"]]);
        for (weaker, stronger_side, weaker_side) in [
            (Weaker::Larger, "1", "2"),
            (Weaker::Larger, "1s", "1m"),
            (Weaker::Larger, "1s", "off"),
            (Weaker::Larger, "1KiB", "1MiB"),
            (Weaker::Larger, "1000", "1MiB"),
            (Weaker::Larger, "50%", "60%"),
            (Weaker::Larger, "1s", ""),
            (Weaker::LongerThanOff, "off", "1s"),
            (Weaker::LongerThanOff, "1s", "1m"),
            (Weaker::LongerThanOff, "1m", ""),
            (Weaker::OneMore, "[a]", "[a b]"),
            (Weaker::OneMore, "", "[a]"),
            (Weaker::Lost, "a", ""),
            (Weaker::OneLess, "[a]", ""),
            (Weaker::OneMoreOfAll, "[a]", "[a b]"),
            (Weaker::OneMoreOfAll, "[a]", ""),
            (Weaker::WiderNetwork, "[10.1.0.0/16]", "[10.0.0.0/8]"),
            (Weaker::WiderNetwork, "[10.1.2.3]", "[10.1.2.0/24]"),
            (Weaker::WiderNetwork, "", "[::1]"),
            (Weaker::WiderNetwork, "[10.0.0.0/8]", "[10.0.0.0/8 11.0.0.0/8]"),
            (Weaker::WiderNetwork, "[fd00::/16]", "[fd00::/8]"),
            (Weaker::Reach, "", "127.0.0.1:1"),
            (Weaker::Reach, "/a", "127.0.0.1:1"),
            (Weaker::Exposed, "127.0.0.1:1", "10.0.0.1:1"),
            (Weaker::Exposed, "", "10.0.0.1:1"),
            (Weaker::Reach, "[::1]:1", "10.0.0.1:1"),
            (CLASS, "once", "sometimes"),
            (CLASS, "once", ""),
            (CLASS, "", "often"),
            (CLASS, "often", "never heard of"),
        ] {
            let (one, other) = (value(stronger_side), value(weaker_side));
            let pair = format!("{weaker:?} {stronger_side} {weaker_side}");
            assert_eq!(weaker.judge(one.as_ref(), other.as_ref()), Effect::Weaker, "{pair}");
            assert_eq!(weaker.judge(other.as_ref(), one.as_ref()), Effect::Stronger, "{pair}");
            assert_eq!(weaker.judge(one.as_ref(), one.as_ref()), Effect::Neutral, "{pair}");
        }
    }

    #[test]
    fn what_wins_and_loses_at_once_is_weaker() {
        for (weaker, one, other) in [
            (Weaker::OneMore, "[a b]", "[b c]"),
            (Weaker::WiderNetwork, "[10.0.0.0/8]", "[11.0.0.0/8]"),
            (Weaker::Change("another"), "a", "b"),
        ] {
            let (one, other) = (value(one), value(other));
            assert_eq!(weaker.judge(one.as_ref(), other.as_ref()), Effect::Weaker);
            assert_eq!(weaker.judge(other.as_ref(), one.as_ref()), Effect::Weaker);
        }
        let same = Weaker::WiderNetwork
            .judge(value("[10.0.0.0/8]").as_ref(), value("[10.0.0.0/8 10.1.0.0/16]").as_ref());
        assert_eq!(same, Effect::Neutral, "the smaller one lies in the larger");
    }

    #[test]
    fn the_words_name_the_kind() {
        assert_eq!(Weaker::Larger.words("duration or `off`"), "longer or `off`");
        assert_eq!(Weaker::Larger.words("size, 8KiB to 1MiB"), "larger");
        assert_eq!(Weaker::Towards(&[&["1.3"], &["1.2", ""]]).words(""), "`1.3` → `1.2`");
    }
}
