//! What is said of one key: its type, its default, its meaning, and whether it is enforced.

use super::Weaker;

/// One table of the file.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// The word the reader uses for it.
    pub name: &'static str,
    /// How it is written.
    pub heading: &'static str,
    /// What it is for.
    pub text: &'static str,
    /// Its keys.
    pub keys: &'static [Key],
}

/// One key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// How it is written.
    pub name: &'static str,
    /// What it takes.
    pub kind: &'static str,
    /// What is meant when it is not written.
    pub fallback: Fallback,
    /// A lawful value, as TOML.
    pub example: &'static str,
    /// What it does, as a sentence.
    pub sentence: &'static str,
    /// For a key of security: which change of it protects less.
    pub weaker: Option<Weaker>,
    /// Whether it is read.
    pub standing: Standing,
}

impl Key {
    /// Whether it means its example when it is not written.
    #[must_use]
    pub fn is_default_a_value(&self) -> bool {
        self.standing == Standing::Read && self.fallback == Fallback::Example
    }
}

/// What is meant when a key is not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// Nothing: it must be written.
    Required,
    /// Nothing: it may be absent.
    Nothing,
    /// The example itself.
    Example,
    /// What the words say.
    Depends(&'static str),
}

/// Whether a key is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is read and enforced.
    Read,
    /// It is refused by name; the words say what to do instead.
    NotYet(&'static str),
}

/// Writes keys down, one a line: those that are read, then, with a dash, those
/// that are refused by name. `weaker` is followed by a direction, in parentheses, or by words: then
/// any change counts as weaker.
macro_rules! keys {
    (
        $($name:ident: $kind:literal, $fallback:expr, $example:literal, $sentence:literal
            $(, weaker $weaker:tt)?;)*
        $(- $later:ident: $instead:literal;)*
    ) => {
        &[
            $(crate::config::reference::Key {
                name: stringify!($name),
                kind: $kind,
                fallback: $fallback,
                example: $example,
                sentence: $sentence,
                weaker: crate::config::reference::key::keys!(@weaker $($weaker)?),
                standing: crate::config::reference::Standing::Read,
            },)*
            $(crate::config::reference::Key {
                name: stringify!($later),
                kind: "",
                fallback: crate::config::reference::Fallback::Nothing,
                example: "\"…\"",
                sentence: "Not enforced by this version: refused.",
                weaker: None,
                standing: crate::config::reference::Standing::NotYet($instead),
            },)*
        ]
    };
    (@weaker) => { None };
    (@weaker $words:literal) => { Some(crate::config::reference::Weaker::Change($words)) };
    (@weaker $direction:tt) => { Some($direction) };
}

pub(super) use keys;

/// Every key of `section`.
pub fn keys_of(section: &str) -> impl Iterator<Item = &'static Key> {
    let section = super::SECTIONS.iter().copied().flatten().find(|known| known.name == section);
    section.into_iter().flat_map(|section| section.keys)
}

/// The key `name` of `section`.
pub(in crate::config) fn find(section: &str, name: &str) -> Option<&'static Key> {
    keys_of(section).find(|key| key.name == name)
}
