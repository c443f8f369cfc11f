//! Compares two configurations key by key, and says of each change what it does to the protection.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::list::{Group, Setting, Settings};
use super::text::toml_text;
use super::{rules, tables};
use crate::config::Span;
use crate::config::reference::{self, Effect, Fallback, Key};
use crate::config::tree::{Node, Value};

/// One key that means something else than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The full path of the key: `limits.body`. Of a table that came or went as a whole, its own.
    pub path: String,
    /// What was written before as TOML, or the default; of a table, its header.
    pub before: Option<String>,
    /// What is written now as TOML, or the default; of a table, its header.
    pub after: Option<String>,
    /// What the change does to the protection.
    pub effect: Effect,
    /// Which change would be weaker, in words; empty where none is.
    pub weaker: String,
    /// Where it stands now; its table's place if it is not written any more. `None` if that is gone
    /// as well.
    pub place: Option<Span>,
}

/// The changes from `before` to `after`, the weaker ones first, then by path.
///
/// A value that is written and means the default is no change. The keys of a table that came or
/// went are not told one by one.
#[must_use]
pub fn compare(before: &Settings, after: &Settings) -> Vec<Change> {
    let (old, new) = (by_path(before, after), by_path(after, before));
    let mut changes: Vec<Change> = tables::compare(before, after);
    let sides = (&old, &new);
    for (path, &(group, is)) in &new {
        let was = old.get(path).map(|(_, was)| *was);
        changes.extend(change(path, group, sides, was, Some(is), Some(is.span)));
    }
    let now = tables::named(after);
    for (path, &(group, was)) in old.iter().filter(|(path, _)| !new.contains_key(*path)) {
        let group = now.get(group.path.as_str()).copied().unwrap_or(group);
        let place = place_of_table(after, path);
        changes.extend(change(path, group, sides, Some(was), None, place));
    }
    changes.sort_by(|one, other| (one.effect, &one.path).cmp(&(other.effect, &other.path)));
    changes
}

/// The tables without which what they are about is off, so that no default of theirs is in force.
const OFF_WITHOUT: [&str; 1] = ["identity.crl."];

/// Settings by their full path.
type ByPath<'a> = BTreeMap<String, (&'a Group, &'a Setting)>;

/// The keys of `settings`, without those of tables that `other` does not have.
fn by_path<'a>(settings: &'a Settings, other: &Settings) -> ByPath<'a> {
    let known = tables::named(other);
    settings
        .iter()
        .filter(|(_, group, _)| !group.is_named || known.contains_key(group.path.as_str()))
        .map(|(path, group, setting)| (path, (group, setting)))
        .collect()
}

fn change(
    path: &str,
    now: &Group,
    (old, new): (&ByPath<'_>, &ByPath<'_>),
    was: Option<&Setting>,
    is: Option<&Setting>,
    place: Option<Span>,
) -> Option<Change> {
    let key = is.or(was)?.key;
    let is_off = |settings: &ByPath<'_>| {
        let table = OFF_WITHOUT.iter().find(|table| path.starts_with(**table));
        table.is_some_and(|table| !settings.keys().any(|known| known.starts_with(table)))
    };
    let (was_off, is_off) = (is_off(old), is_off(new));
    let value = |setting: Option<&Setting>, is_off: bool| {
        let default = || if is_off { None } else { default_of(key) };
        setting.map(|it| it.value.clone()).or_else(default)
    };
    let (before, after) = (value(was, was_off), value(is, is_off));
    if is_same(key, before.as_ref(), after.as_ref()) {
        return None;
    }
    let (was, is) = (before.as_ref(), after.as_ref());
    let of_rule = rules::is_rule(now).then(|| rules::judge(now, key.name, was, is)).flatten();
    let (effect, weaker) = match (of_rule, key.weaker) {
        (Some(effect), _) => (effect, rules::WORDS.into()),
        // Whether there is such a table is judged by the key that it cannot be without.
        (None, _) if (was_off || is_off) && key.fallback != Fallback::Required => {
            (Effect::Neutral, String::new())
        }
        (None, Some(weaker)) => (weaker.judge(was, is), weaker.words(key.kind)),
        (None, None) => (Effect::Neutral, String::new()),
    };
    Some(Change {
        path: path.into(),
        effect,
        weaker,
        before: before.as_ref().map(toml_text),
        after: after.as_ref().map(toml_text),
        place,
    })
}

/// Whether two values mean the same, however they are written.
fn is_same(key: &Key, before: Option<&Value>, after: Option<&Value>) -> bool {
    let is_amount = ["duration", "size", "share"].iter().any(|kind| key.kind.starts_with(kind));
    before.map(toml_text) == after.map(toml_text)
        || is_amount
            && before.is_some()
            && after.is_some()
            && reference::amount(before) == reference::amount(after)
}

/// The default of a key as a value; `None` where it has none, or none that is a simple one or a
/// list of such.
fn default_of(key: &Key) -> Option<Value> {
    if key.fallback != Fallback::Example {
        return None;
    }
    let list = key.example.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let Some(list) = list else { return simple(key.example) };
    let members = list.split(',').map(|member| simple(member.trim()));
    let nodes: Option<Vec<Node>> =
        members.map(|value| Some(Node { span: Span::default(), value: value? })).collect();
    nodes.map(Value::Array)
}

fn simple(text: &str) -> Option<Value> {
    let quoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    match (quoted, text) {
        (Some(inner), _) => Some(Value::String(inner.into())),
        (None, "true" | "false") => Some(Value::Boolean(text == "true")),
        (None, _) => text.parse().ok().map(Value::Integer),
    }
}

/// The table in which a key that is not written any more would stand.
fn place_of_table(settings: &Settings, path: &str) -> Option<Span> {
    let holds = |group: &&Group| {
        path.strip_prefix(group.path.as_str()).is_some_and(|rest| rest.starts_with('.'))
    };
    let innermost = settings.groups.iter().filter(holds).max_by_key(|group| group.path.len())?;
    Some(innermost.span)
}
