//! The settings of a configuration: every key that is written, by table, each with its place.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::config::Span;
use crate::config::reference::{self, Key, Standing};
use crate::config::tree::Value;

/// Everything that is written in a configuration without errors.
///
/// It holds references to secrets, never secrets: a text with one in it has an error.
#[derive(Clone, Default)]
pub struct Settings {
    /// The tables, the top of the file first.
    pub groups: Vec<Group>,
}

/// One table with a header, and the tables inside it that have none.
#[derive(Clone)]
pub struct Group {
    /// What it is called in paths: `limits`, `listener.inbound`; empty for the top of the file.
    pub path: String,
    /// Its header: `[limits]`, `[[listener]]`; empty for the top of the file.
    pub header: String,
    /// Whether it is one of many with names: `[service.token]`, `[[route]]`.
    pub is_named: bool,
    /// Where the header stands.
    pub span: Span,
    /// Its keys, in the order of the reader.
    pub settings: Vec<Setting>,
    /// The tables in it by their path (the own one is empty), each with its section of the
    /// reference.
    pub tables: Vec<(String, &'static str)>,
}

/// One key that is written.
#[derive(Clone)]
pub struct Setting {
    /// The key in its group: `body`, `tls.mode`.
    pub path: String,
    /// What is said of it.
    pub key: &'static Key,
    /// Its value.
    pub value: Value,
    /// Where it stands, key and value.
    pub span: Span,
}

impl Settings {
    /// Every setting with its full path: `limits.body`.
    pub fn iter(&self) -> impl Iterator<Item = (String, &Group, &Setting)> {
        self.groups.iter().flat_map(|group| {
            group.settings.iter().map(move |setting| (group.full(&setting.path), group, setting))
        })
    }

    /// The tables that could stand at the top of the file and do not, whose defaults are in force:
    /// the section of each.
    pub fn absent_tables(&self) -> impl Iterator<Item = &'static str> {
        let is_table = |key: &&Key| key.kind == "table" && key.standing == Standing::Read;
        reference::keys_of("")
            .filter(is_table)
            .map(|key| key.name)
            .filter(|name| !self.groups.iter().any(|group| group.path == *name))
    }
}

impl Group {
    /// The full path of a key in this group.
    #[must_use]
    pub fn full(&self, key: &str) -> String {
        if self.path.is_empty() { key.into() } else { format!("{}.{key}", self.path) }
    }

    /// The keys that are not written and whose default is a value: the path in the group, the key.
    pub fn defaults(&self) -> impl Iterator<Item = (String, &'static Key)> {
        self.tables.iter().flat_map(move |(table, section)| {
            let keys = reference::keys_of(section).filter(|key| key.is_default_a_value());
            keys.filter_map(move |key| {
                let path = if table.is_empty() {
                    key.name.into()
                } else {
                    format!("{table}.{}", key.name)
                };
                let is_written = |setting: &Setting| {
                    setting.path == path || setting.path.starts_with(&format!("{path}."))
                };
                (!self.settings.iter().any(is_written)).then_some((path, key))
            })
        })
    }
}

/// The paths alone.
impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.iter().map(|(path, ..)| path)).finish()
    }
}
