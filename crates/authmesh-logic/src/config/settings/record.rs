//! Notes what the reader takes, so that nothing it reads is missing from the settings.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::list::{Group, Setting, Settings};
use super::text;
use crate::config::Span;
use crate::config::reference::Key;
use crate::config::tree::{Entry, Value};

/// The settings read so far.
#[derive(Default)]
pub(in crate::config) struct Record {
    groups: Vec<Group>,
    /// How often the name of a list's table was used.
    uses: BTreeMap<String, u32>,
}

/// Which table is being read: a group and a path in it. `None` is inside a value that is noted whole.
#[derive(Clone)]
pub(in crate::config) struct Place(Option<(usize, String)>);

impl Record {
    /// Begins the top of the file.
    pub(in crate::config) fn top(&mut self) -> Place {
        self.begin(String::new(), String::new(), false, Span::default(), "")
    }

    /// Notes a key that is written. It may be noted again: the reader looks twice at some.
    pub(in crate::config) fn note(&mut self, place: &Place, key: &'static Key, entry: &Entry) {
        let Some((group, prefix)) = &place.0 else { return };
        let path = joined(prefix, key.name);
        let settings = &mut self.groups[*group].settings;
        let begins = format!("{path}.");
        if settings.iter().any(|known| known.path == path || known.path.starts_with(&begins)) {
            return;
        }
        let span = entry.key.to(entry.node.span);
        settings.push(Setting { path, key, value: entry.node.value.clone(), span });
    }

    /// Enters a table that stands in its parent's group.
    pub(in crate::config) fn enter(
        &mut self,
        place: &Place,
        key: &str,
        section: &'static str,
        entry: &Entry,
    ) -> Place {
        let Some((group, prefix)) = &place.0 else { return Place(None) };
        let path = joined(prefix, key);
        let group_entry = &mut self.groups[*group];
        // An empty table is not the same as none.
        if !is_empty(&entry.node.value) {
            group_entry.settings.retain(|known| known.path != path);
        }
        group_entry.tables.push((path.clone(), section));
        Place(Some((*group, path)))
    }

    /// Enters a table that has a header of its own, one of many if it has a `name`.
    pub(in crate::config) fn enter_headed(
        &mut self,
        place: &Place,
        key: &str,
        name: Option<&str>,
        section: &'static str,
        span: Span,
    ) -> Place {
        let Some(parent) = self.leave_to_header(place, key) else { return Place(None) };
        let path = joined(&parent, key);
        let header = parent.split('.').filter(|part| !part.is_empty()).chain([key]);
        let mut header: Vec<String> = header.map(text::key_text).collect();
        header.extend(name.map(text::key_text));
        let path = name.map_or_else(|| path.clone(), |name| joined(&path, name));
        self.begin(path, format!("[{}]", header.join(".")), name.is_some(), span, section)
    }

    /// Enters one of the tables written as `[[key]]`.
    pub(in crate::config) fn enter_listed(
        &mut self,
        place: &Place,
        key: &str,
        name: &str,
        span: Span,
        section: &'static str,
    ) -> Place {
        // Inside another table, such a list is noted whole.
        let is_top =
            place.0.as_ref().is_some_and(|(group, prefix)| *group == 0 && prefix.is_empty());
        if !is_top || self.leave_to_header(place, key).is_none() {
            return Place(None);
        }
        let path = joined(key, name);
        let uses = self.uses.entry(path.clone()).or_default();
        *uses += 1;
        let path = if *uses == 1 { path } else { format!("{path}#{uses}") };
        self.begin(path, format!("[[{key}]]"), true, span, section)
    }

    pub(in crate::config) fn into_settings(mut self) -> Settings {
        if let Some(top) = self.groups.first_mut() {
            // What is included stands here already.
            top.settings.retain(|setting| setting.path != "include");
        }
        Settings { groups: self.groups }
    }

    /// Takes back the note of a key whose tables have headers; gives the path of their parent.
    fn leave_to_header(&mut self, place: &Place, key: &str) -> Option<String> {
        let (group, prefix) = place.0.as_ref()?;
        let path = joined(prefix, key);
        let group = &mut self.groups[*group];
        group.settings.retain(|known| known.path != path);
        Some(joined(&group.path, prefix).trim_matches('.').to_string())
    }

    fn begin(
        &mut self,
        path: String,
        header: String,
        is_named: bool,
        span: Span,
        section: &'static str,
    ) -> Place {
        let tables = [(String::new(), section)].into();
        let settings = Vec::new();
        self.groups.push(Group { path, header, is_named, span, settings, tables });
        Place(Some((self.groups.len() - 1, String::new())))
    }
}

fn joined(prefix: &str, key: &str) -> String {
    if prefix.is_empty() { key.to_string() } else { format!("{prefix}.{key}") }
}

fn is_empty(value: &Value) -> bool {
    matches!(value, Value::Table(table) if table.is_empty())
}
