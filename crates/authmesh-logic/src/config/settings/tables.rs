//! Compares the tables with names: those that came, those that went, and their order.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::compare::Change;
use super::list::{Group, Settings};
use super::rules;
use crate::config::reference::Effect;

/// The tables with names, by path.
pub(super) fn named(settings: &Settings) -> BTreeMap<&str, &Group> {
    let named = settings.groups.iter().filter(|group| group.is_named);
    named.map(|group| (group.path.as_str(), group)).collect()
}

/// The tables that came or went as a whole, and lists whose order is another.
pub(super) fn compare(before: &Settings, after: &Settings) -> Vec<Change> {
    let (old, new) = (named(before), named(after));
    let gone = old.iter().filter(|(path, _)| !new.contains_key(*path));
    let come = new.iter().filter(|(path, _)| !old.contains_key(*path));
    let mut changes: Vec<Change> = gone.map(|(_, group)| whole(group, false)).collect();
    changes.extend(come.map(|(_, group)| whole(group, true)));
    for list in lists(after) {
        let order = |settings: &Settings, other: &BTreeMap<&str, &Group>| {
            let of_list = |group: &&Group| group.header == list && other.contains_key(&*group.path);
            let names = settings.groups.iter().filter(of_list).map(|group| group.path.clone());
            names.collect::<Vec<String>>().join(", ")
        };
        let (was, is) = (order(before, &new), order(after, &old));
        if was != is {
            changes.push(Change {
                path: format!("order of {list}"),
                before: Some(was),
                after: Some(is),
                effect: Effect::Neutral,
                weaker: String::new(),
                place: None,
            });
        }
    }
    changes
}

/// The headers of lists in which the order decides.
fn lists(settings: &Settings) -> Vec<&str> {
    const ORDERED: [&str; 1] = ["[[route]]"];
    let headers = settings.groups.iter().map(|group| group.header.as_str());
    let mut lists: Vec<&str> = headers.filter(|header| ORDERED.contains(header)).collect();
    lists.dedup();
    lists
}

fn whole(group: &Group, has_come: bool) -> Change {
    let header = Some(group.header.clone());
    let (effect, weaker) = effect(group, has_come);
    Change {
        path: group.path.clone(),
        before: header.clone().filter(|_| !has_come),
        after: header.filter(|_| has_come),
        effect,
        weaker: weaker.to_string(),
        place: Some(group.span).filter(|_| has_come),
    }
}

/// What it does to the protection that a table came or went, and which of both would be weaker.
fn effect(group: &Group, has_come: bool) -> (Effect, &'static str) {
    let weaker_to_come = |words| {
        let effect = if has_come { Effect::Weaker } else { Effect::Stronger };
        (effect, words)
    };
    let weaker_to_go = |words| {
        let effect = if has_come { Effect::Stronger } else { Effect::Weaker };
        (effect, words)
    };
    let list = group.path.split_once('.').map_or(group.path.as_str(), |(list, _)| list);
    match list {
        "identity" => weaker_to_come("a further domain is trusted"),
        "rate" => weaker_to_go("a bound is gone"),
        "policy" if rules::denies(group) => weaker_to_go("a deny rule is gone"),
        "policy" if rules::allows_anyone(group) => weaker_to_come("a further rule allows anyone"),
        _ => (Effect::Neutral, ""),
    }
}
