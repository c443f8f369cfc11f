//! Takes single values out of a table: texts, words, lists, yes or no.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::findings::Written;
use super::reader::Reader;
use super::tree::{Entry, Node, Value};
use super::{Code, Problem, Span};

/// The word that switches a setting off.
pub(super) const OFF: &str = "off";

/// Replaces `target` by what is written, if anything is.
pub(super) fn put<T>(target: &mut T, written: Option<Written<T>>) {
    if let Some(written) = written {
        *target = written.value;
    }
}

impl<'tree> Reader<'tree, '_> {
    pub(super) fn string(&mut self, key: &'static str) -> Option<Written<&'tree str>> {
        let entry = self.take(key)?;
        self.as_string(entry)
    }

    pub(super) fn as_string(&mut self, entry: &'tree Entry) -> Option<Written<&'tree str>> {
        let text = self.text(&entry.node)?;
        Some(Written { key: entry.key, ..text })
    }

    fn text(&mut self, node: &'tree Node) -> Option<Written<&'tree str>> {
        if let Value::String(text) = &node.value {
            return Some(Written { value: text, key: node.span, span: node.span });
        }
        self.wrong_type(node, "a string");
        None
    }

    /// The texts of an array, and the place of the array.
    pub(super) fn strings(
        &mut self,
        key: &'static str,
    ) -> Option<Written<Vec<Written<&'tree str>>>> {
        let nodes = self.array(key)?;
        let texts = nodes.value.iter().filter_map(|node| self.text(node)).collect();
        Some(nodes.with(texts))
    }

    pub(super) fn array(&mut self, key: &'static str) -> Option<Written<&'tree [Node]>> {
        let entry = self.take(key)?;
        if let Value::Array(nodes) = &entry.node.value {
            return Some(Written { value: nodes, key: entry.key, span: entry.node.span });
        }
        self.wrong_type(&entry.node, "an array");
        None
    }

    pub(super) fn boolean(&mut self, key: &'static str) -> Option<Written<bool>> {
        let entry = self.take(key)?;
        if let Value::Boolean(value) = entry.node.value {
            return Some(Written { value, key: entry.key, span: entry.node.span });
        }
        self.wrong_type(&entry.node, "a boolean");
        None
    }

    /// One of `words`; one of `later` is known and refused by name.
    pub(super) fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        words: &[(&str, T)],
        later: &[&str],
    ) -> Option<Written<T>> {
        let word = self.string(key)?;
        if let Some(&(_, value)) = words.iter().find(|(known, _)| *known == word.value) {
            return Some(word.with(value));
        }
        let lawful = listed(words.iter().map(|(word, _)| *word));
        let problem = if later.contains(&word.value) {
            let sentence = format!("`{key} = \"{}\"` is not enforced by this version", word.value);
            Problem::new(Code::NotEnforced, word.span, sentence)
                .help(format!("`{key}` takes {lawful}"))
        } else {
            let sentence = format!("`{key}` takes {lawful}");
            let problem = Problem::new(Code::NotAllowed, word.span, sentence);
            let known = words.iter().map(|(word, _)| *word);
            match super::suggest::nearest(word.value, known) {
                Some(meant) => problem.help(format!("did you mean `{meant}`?")),
                None => problem,
            }
        };
        self.report(problem);
        None
    }

    /// Refuses a key that changes nothing because of `why`.
    pub(super) fn no_effect(&mut self, key: Span, what: &str, why: &str) {
        let sentence = format!("`{what}` has no effect {why}");
        self.report(Problem::new(Code::NoEffect, key, sentence).help("leave it out"));
    }
}

/// Whether a value is the word "off".
pub(super) fn is_off<T>(entry: &Entry) -> Option<Written<Option<T>>> {
    matches!(&entry.node.value, Value::String(text) if text == OFF).then_some(Written {
        value: None,
        key: entry.key,
        span: entry.node.span,
    })
}

/// `a`, `b` or `c`.
pub(super) fn listed<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.map(|word| format!("`{word}`")).collect();
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, first)) => format!("{} or {last}", first.join(", ")),
        None => "nothing".to_string(),
    }
}
