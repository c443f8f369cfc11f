//! Decides what a change inside an access rule does: a rule that allows protects less when it holds
//! for more requests, a rule that denies when it holds for fewer.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use super::list::Group;
use super::text::toml_text;
use crate::authorization::Principal;
use crate::config::reference::{Effect, Weaker, texts};
use crate::config::tree::Value;
use crate::routing::{HostPattern, Pattern};

/// Which change of a key of a rule is weaker, in words.
pub(super) const WORDS: &str = "a rule that allows holds for more, or one that denies for less";

/// How a rule's requests are another set than before.
#[derive(Clone, Copy, Default)]
struct Moved {
    holds_for_more: bool,
    holds_for_less: bool,
}

/// Whether a table is an access rule.
pub(super) fn is_rule(group: &Group) -> bool {
    group.path.starts_with("policy.")
}

/// What a change of `key` in the rule `now` does; `None` where a key changes nothing of the kind.
pub(super) fn judge(
    now: &Group,
    key: &str,
    before: Option<&Value>,
    after: Option<&Value>,
) -> Option<Effect> {
    if key == "action" {
        let denied = texts(before).contains("deny");
        return Some(if denied { Effect::Weaker } else { Effect::Stronger });
    }
    let moved = moved(key, before, after)?;
    let is_deny = word(now, "action") == Some("deny");
    let (weaker, stronger) = match is_deny {
        true => (moved.holds_for_less, moved.holds_for_more),
        false => (moved.holds_for_more, moved.holds_for_less),
    };
    Some(match (weaker, stronger) {
        (true, _) => Effect::Weaker,
        (false, true) => Effect::Stronger,
        (false, false) => Effect::Neutral,
    })
}

/// Whether a rule that came lets in whoever comes.
pub(super) fn allows_anyone(group: &Group) -> bool {
    word(group, "action") == Some("allow") && word(group, "from") == Some(ANYONE)
}

/// Whether a rule is one that denies.
pub(super) fn denies(group: &Group) -> bool {
    word(group, "action") == Some("deny") && word(group, "mode") != Some(SHADOW)
}

/// What stands for every caller.
const ANYONE: &str = "anyone";

/// The mode in which a rule decides nothing.
const SHADOW: &str = "shadow";

fn moved(key: &str, before: Option<&Value>, after: Option<&Value>) -> Option<Moved> {
    let lists = || (texts(before), texts(after));
    Some(match key {
        // A rule in shadow holds for nothing.
        "mode" => {
            let is_shadow = |value: Option<&Value>| texts(value).iter().any(|mode| mode == SHADOW);
            between(is_shadow(after), is_shadow(before))
        }
        "when" | "not_when" => {
            // Each condition makes it hold for less; one that says something else does both.
            let (before, after) = (conditions(before), conditions(after));
            between(!before.is_subset(&after), !after.is_subset(&before)).swapped()
        }
        "ip_blocks" | "remote_ip_blocks" => some_of(before, after, network_covers),
        "not_ip_blocks" | "not_remote_ip_blocks" => none_of(lists(), network_covers),
        "paths" => some_of(before, after, path_covers),
        "not_paths" => none_of(lists(), path_covers),
        "hosts" => some_of(before, after, host_covers),
        "not_hosts" => none_of(lists(), host_covers),
        "from" => some_of(before, after, principal_covers),
        "not_from" => none_of(lists(), principal_covers),
        "methods" | "ports" | "service" | "jwt" => some_of(before, after, equals),
        "not_methods" | "not_ports" => none_of(lists(), equals),
        _ => return None,
    })
}

impl Moved {
    const fn swapped(self) -> Self {
        Self { holds_for_more: self.holds_for_less, holds_for_less: self.holds_for_more }
    }
}

const fn between(holds_for_less: bool, holds_for_more: bool) -> Moved {
    Moved { holds_for_more, holds_for_less }
}

type Covers = fn(&str, &str) -> bool;

/// A list of which one value is enough; what is not written is everything.
fn some_of(before: Option<&Value>, after: Option<&Value>, covers: Covers) -> Moved {
    let list = |value: Option<&Value>| {
        let list = texts(value);
        let is_everything = value.is_none() || list.contains(ANYONE);
        (!is_everything).then_some(list)
    };
    match (list(before), list(after)) {
        (None, None) => Moved::default(),
        (None, Some(_)) => between(true, false),
        (Some(_), None) => between(false, true),
        (Some(before), Some(after)) => {
            between(!all_covered(&before, &after, covers), !all_covered(&after, &before, covers))
        }
    }
}

/// A list of which no value may be; what is not written is nothing.
fn none_of((before, after): (BTreeSet<String>, BTreeSet<String>), covers: Covers) -> Moved {
    between(!all_covered(&after, &before, covers), !all_covered(&before, &after, covers))
}

/// Whether each of `inner` is covered by one of `outer`.
fn all_covered(inner: &BTreeSet<String>, outer: &BTreeSet<String>, covers: Covers) -> bool {
    inner.iter().all(|inner| outer.iter().any(|outer| outer == inner || covers(outer, inner)))
}

fn equals(outer: &str, inner: &str) -> bool {
    outer == inner
}

fn network_covers(outer: &str, inner: &str) -> bool {
    let list = |text: &str| Value::Array([node(text)].into());
    let (before, after) = (list(outer), list(inner));
    Weaker::WiderNetwork.judge(Some(&before), Some(&after)) != Effect::Weaker
}

fn node(text: &str) -> crate::config::Node {
    crate::config::Node { span: crate::config::Span::default(), value: Value::String(text.into()) }
}

fn principal_covers(outer: &str, inner: &str) -> bool {
    // A pattern within another is taken for one that is not, which is on the safe side.
    !inner.contains('*') && Principal::parse(outer).is_ok_and(|outer| outer.matches(inner))
}

fn path_covers(outer: &str, inner: &str) -> bool {
    match (Pattern::parse(outer), Pattern::parse(inner)) {
        (Ok(outer), Ok(inner)) => outer.covers(&inner),
        _ => false,
    }
}

fn host_covers(outer: &str, inner: &str) -> bool {
    match (HostPattern::parse(outer), HostPattern::parse(inner)) {
        (Ok(outer), Ok(inner)) => outer.covers(&inner),
        _ => false,
    }
}

/// The conditions of a table, each as text.
fn conditions(value: Option<&Value>) -> BTreeSet<String> {
    let Some(Value::Table(table)) = value else { return BTreeSet::new() };
    let condition = |(key, entry): (&String, &crate::config::Entry)| {
        [key.as_str(), "=", &toml_text(&entry.node.value)].concat()
    };
    table.iter().map(condition).collect::<Vec<_>>().into_iter().collect()
}

fn word<'a>(group: &'a Group, key: &str) -> Option<&'a str> {
    let setting = group.settings.iter().find(|setting| setting.path == key)?;
    match &setting.value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::reference::{Fallback, Key, Standing};
    use crate::config::settings::Setting;
    use crate::config::{Entry, Span};

    fn rule(action: &str) -> Group {
        let key: &'static Key = &Key {
            name: "action",
            kind: "",
            fallback: Fallback::Required,
            example: "",
            sentence: "",
            weaker: None,
            standing: Standing::Read,
        };
        let value = Value::String(action.into());
        let setting = Setting { path: "action".into(), key, value, span: Span::default() };
        Group {
            path: "policy.a".into(),
            header: "[[policy]]".into(),
            is_named: true,
            span: Span::default(),
            settings: [setting].into(),
            tables: Vec::new(),
        }
    }

    fn value(text: &str) -> Option<Value> {
        (!text.is_empty()).then(|| Value::Array(text.split(' ').map(node).collect()))
    }

    #[test]
    fn a_rule_that_allows_gets_weaker_by_holding_for_more_and_one_that_denies_by_less() {
        use Effect::{Neutral, Stronger, Weaker};
        for (key, before, after, allow) in [
            ("from", "spiffe://a/x", "spiffe://a/x spiffe://a/y", Weaker),
            ("from", "spiffe://a/*", "spiffe://a/x", Stronger),
            ("from", "spiffe://a/x", "anyone", Weaker),
            ("from", "spiffe://a/x", "", Weaker),
            ("not_from", "spiffe://a/x", "", Weaker),
            ("not_from", "", "spiffe://a/x", Stronger),
            ("paths", "/a/**", "/a/b", Stronger),
            ("paths", "/a/b", "/a/**", Weaker),
            ("paths", "", "/a", Stronger),
            ("not_paths", "/a/**", "/a/b", Weaker),
            ("hosts", "a.example", "*.example a.example", Weaker),
            ("methods", "GET", "GET POST", Weaker),
            ("not_methods", "GET", "GET POST", Stronger),
            ("ip_blocks", "10.0.0.0/8", "10.1.0.0/16", Stronger),
            ("not_ip_blocks", "10.0.0.0/8", "10.1.0.0/16", Weaker),
            ("service", "a", "", Weaker),
            ("jwt", "idp", "", Weaker),
            ("jwt", "", "idp", Stronger),
            ("mode", "shadow", "enforced", Weaker),
            ("methods", "GET POST", "POST GET", Neutral),
        ] {
            let deny = match allow {
                Weaker => Stronger,
                Stronger => Weaker,
                Neutral => Neutral,
            };
            let (one, other) = (value(before), value(after));
            let judged = |action: &str| judge(&rule(action), key, one.as_ref(), other.as_ref());
            assert_eq!(judged("allow"), Some(allow), "{key} {before} → {after}");
            assert_eq!(judged("deny"), Some(deny), "{key} {before} → {after}");
        }
        let both = (value("GET"), value("POST"));
        for action in ["allow", "deny"] {
            let judged = judge(&rule(action), "methods", both.0.as_ref(), both.1.as_ref());
            assert_eq!(judged, Some(Weaker), "what wins and loses at once");
        }
        let deny = value("deny");
        assert_eq!(judge(&rule("allow"), "action", deny.as_ref(), None), Some(Weaker));
        assert_eq!(judge(&rule("deny"), "name", None, deny.as_ref()), None);
    }

    #[test]
    fn each_condition_makes_a_rule_hold_for_less() {
        let table = |keys: &[&str]| {
            let entry = |key: &&str| {
                let entry = Entry { key: Span::default(), node: node("x") };
                (String::from(*key), entry)
            };
            Value::Table(keys.iter().map(entry).collect())
        };
        let (one, two) = (table(&["header.a"]), table(&["header.a", "header.b"]));
        for key in ["when", "not_when"] {
            let judged = judge(&rule("allow"), key, Some(&two), Some(&one));
            assert_eq!(judged, Some(Effect::Weaker));
            assert_eq!(judge(&rule("allow"), key, None, Some(&one)), Some(Effect::Stronger));
            assert_eq!(judge(&rule("deny"), key, None, Some(&one)), Some(Effect::Weaker));
        }
    }
}
