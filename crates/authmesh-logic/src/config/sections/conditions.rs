//! Reads what else must hold for an access rule: values of header fields, and claims of tokens.

use alloc::format;
use alloc::vec::Vec;

use crate::authorization::{Attribute, Condition, Selection, TextPattern};
use crate::config::reader::Reader;
use crate::config::tree::{Entry, Value};
use crate::config::{Code, Problem};

pub(super) fn read_conditions(reader: &mut Reader<'_, '_>) -> Vec<Condition> {
    let mut conditions = Vec::new();
    for key in ["when", "not_when"] {
        let Some(entry) = reader.take(key) else { continue };
        let Value::Table(table) = &entry.node.value else {
            reader.wrong_type(&entry.node, "a table");
            continue;
        };
        for (name, entry) in table {
            let Some(attribute) = attribute(reader, name, entry) else { continue };
            let patterns = patterns(reader, name, entry);
            let values = match key {
                "when" => Selection::from(patterns),
                _ => Selection { any_of: Vec::new(), none_of: patterns },
            };
            conditions.push(Condition { attribute, values });
        }
    }
    conditions
}

fn attribute(reader: &mut Reader<'_, '_>, name: &str, entry: &Entry) -> Option<Attribute> {
    if let Some(claim) = name.strip_prefix("claim.") {
        return claim_named(reader, claim, entry);
    }
    let Some(field) = name.strip_prefix("header.") else {
        let sentence = format!("unknown key `{name}` in a condition of {}", reader.title());
        let problem = Problem::new(Code::UnknownKey, entry.key, sentence);
        let help = "a condition is written `\"header.NAME\" = [\"value\"]` or `\"claim.NAME\" = …`";
        reader.report(problem.help(help));
        return None;
    };
    let is_token = !field.is_empty()
        && field.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let field = field.to_ascii_lowercase();
    if !is_token {
        let sentence = "the name of a field has letters, digits, `-` and `_`";
        reader.report(Problem::new(Code::NotAllowed, entry.key, sentence));
        return None;
    }
    if field.starts_with("x-authmesh-") {
        let sentence = format!("`{field}` is taken off requests before rules are asked");
        let problem = Problem::new(Code::ReservedHeader, entry.key, sentence);
        reader.report(problem.help("name callers in `from`"));
        return None;
    }
    Some(Attribute::Header(field.into()))
}

/// A claim says nothing without whose word it is.
fn claim_named(reader: &mut Reader<'_, '_>, claim: &str, entry: &Entry) -> Option<Attribute> {
    if claim.is_empty() {
        let sentence = "a condition on a claim names it";
        reader.report(Problem::new(Code::NotAllowed, entry.key, sentence));
        return None;
    }
    if !reader.has("jwt") {
        let sentence = format!("a condition on claim `{claim}` needs `jwt`");
        reader.report(
            Problem::new(Code::Missing, entry.key, sentence)
                .note("any issuer could say it")
                .help("jwt = \"PROVIDER\""),
        );
        return None;
    }
    Some(Attribute::Claim(claim.into()))
}

fn patterns(reader: &mut Reader<'_, '_>, name: &str, entry: &Entry) -> Vec<TextPattern> {
    let Value::Array(nodes) = &entry.node.value else {
        reader.wrong_type(&entry.node, "an array");
        return Vec::new();
    };
    if nodes.is_empty() {
        let sentence = format!("`{name}` is empty, which means any and not none");
        let problem = Problem::new(Code::NotAllowed, entry.node.span, sentence);
        reader.report(problem.help("[\"*\"] means that it is there"));
    }
    let mut patterns = Vec::new();
    for node in nodes {
        let Value::String(text) = &node.value else {
            reader.wrong_type(node, "a string");
            continue;
        };
        match TextPattern::parse(text) {
            Ok(pattern) => patterns.push(pattern),
            Err(_) => {
                let sentence = "`*` stands at the beginning or the end of a value, or alone";
                reader.report(Problem::new(Code::WildcardInside, node.span, sentence));
            }
        }
    }
    patterns
}
