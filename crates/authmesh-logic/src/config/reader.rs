//! Takes keys out of a table one by one, and refuses what is left.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::findings::{Findings, Written};
use super::reference::{self, Standing};
use super::settings::Place;
use super::suggest;
use super::tree::{Entry, Node, Span, Table, Value};
use super::{Code, Problem};

/// One table being read. Every problem met goes into the findings; reading goes on.
pub(super) struct Reader<'tree, 'out> {
    /// Which section of the reference the table is.
    section: &'static str,
    /// The table in a sentence: "service `login`".
    title: String,
    table: &'tree Table,
    span: Span,
    taken: Vec<&'static str>,
    /// Where what is taken is noted.
    place: Place,
    pub(super) findings: &'out mut Findings,
}

impl<'tree, 'out> Reader<'tree, 'out> {
    /// A reader of the top of a file.
    pub(super) fn top(
        title: String,
        table: &'tree Table,
        span: Span,
        findings: &'out mut Findings,
    ) -> Self {
        let place = findings.record.top();
        Self { section: "", title, table, span, taken: Vec::new(), place, findings }
    }

    /// The place of the table: its header, or the whole of an inline table.
    pub(super) const fn span(&self) -> Span {
        self.span
    }

    pub(super) fn title(&self) -> &str {
        &self.title
    }

    pub(super) fn report(&mut self, problem: Problem) {
        self.findings.report(problem);
    }

    pub(super) fn take(&mut self, key: &'static str) -> Option<&'tree Entry> {
        let known = reference::find(self.section, key);
        debug_assert!(
            known.is_some_and(|key| key.standing == Standing::Read),
            "the reference lacks `{key}` in `{}`",
            self.section
        );
        self.taken.push(key);
        let entry = self.table.get(key)?;
        if let Some(known) = known {
            self.findings.record.note(&self.place, known, entry);
        }
        Some(entry)
    }

    /// Whether a key is written; it must still be taken.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// The place of a key, if it is written.
    pub(super) fn place(&self, key: &str) -> Option<Span> {
        self.table.get(key).map(|entry| entry.key)
    }

    /// The place of the first table of an array of tables.
    pub(super) fn first_of(&self, key: &str) -> Option<Span> {
        match &self.table.get(key)?.node.value {
            Value::Array(nodes) => nodes.first().map(|node| node.span),
            _ => None,
        }
    }

    /// Whether an array is written that has nothing in it.
    pub(super) fn is_empty_array(&self, key: &str) -> bool {
        matches!(self.untaken(key), Some(Node { value: Value::Array(nodes), .. }) if nodes.is_empty())
    }

    /// Whether a table is written.
    pub(super) fn is_table(&self, key: &str) -> bool {
        matches!(self.untaken(key), Some(Node { value: Value::Table(_), .. }))
    }

    /// The value of a key that is not taken.
    pub(super) fn untaken(&self, key: &str) -> Option<&'tree Node> {
        self.table.get(key).map(|entry| &entry.node)
    }

    /// Reports that one key is missing, unless `found` is there.
    pub(super) fn required<T>(&mut self, key: &'static str, found: Option<T>) -> Option<T> {
        if found.is_none() && !self.has(key) {
            let example = reference::find(self.section, key).map_or("…", |key| key.example);
            let sentence = format!("missing key `{key}` in {}", self.title);
            self.report(
                Problem::new(Code::Missing, self.span, sentence).help(format!("{key} = {example}")),
            );
        }
        found
    }

    pub(super) fn wrong_type(&mut self, node: &Node, wanted: &str) {
        let sentence = format!("expected {wanted}, found {}", node.value.kind());
        self.report(Problem::new(Code::WrongType, node.span, sentence));
    }

    /// The table under `key`, read as `section` of the reference.
    pub(super) fn table(
        &mut self,
        key: &'static str,
        section: &'static str,
    ) -> Option<Reader<'tree, '_>> {
        let entry = self.take(key)?;
        let title = format!("`{key}` of {}", self.title);
        let place = self.findings.record.enter(&self.place, key, section, entry);
        self.enter(entry, section, title, place)
    }

    /// A top-level table under `key`.
    pub(super) fn section(&mut self, key: &'static str) -> Option<Reader<'tree, '_>> {
        let entry = self.take(key)?;
        let span = entry.node.span;
        let place = self.findings.record.enter_headed(&self.place, key, None, key, span);
        self.enter(entry, key, format!("`[{key}]`"), place)
    }

    fn enter(
        &mut self,
        entry: &'tree Entry,
        section: &'static str,
        title: String,
        place: Place,
    ) -> Option<Reader<'tree, '_>> {
        if let Value::Table(table) = &entry.node.value {
            return Some(self.inner(section, title, table, entry.node.span, place));
        }
        self.wrong_type(&entry.node, "a table");
        None
    }

    fn inner(
        &mut self,
        section: &'static str,
        title: String,
        table: &'tree Table,
        span: Span,
        place: Place,
    ) -> Reader<'tree, '_> {
        let findings = &mut *self.findings;
        Reader { section, title, table, span, taken: Vec::new(), place, findings }
    }

    /// Reads each table of an array of tables.
    pub(super) fn each(&mut self, key: &'static str, mut read: impl FnMut(Reader<'tree, '_>)) {
        let Some(entry) = self.take(key) else { return };
        let Value::Array(nodes) = &entry.node.value else {
            return self.wrong_type(&entry.node, &format!("tables written as `[[{key}]]`"));
        };
        for node in nodes {
            if let Value::Table(table) = &node.value {
                let name = name_of(table).unwrap_or("unnamed");
                let record = &mut self.findings.record;
                let place = record.enter_listed(&self.place, key, name, node.span, key);
                let title = named(key, table);
                read(self.inner(key, title, table, node.span, place));
            } else {
                self.wrong_type(node, &format!("a table written as `[[{key}]]`"));
            }
        }
    }

    /// Reads each table of a table by its key.
    pub(super) fn each_by_name(
        &mut self,
        key: &'static str,
        section: &'static str,
        mut read: impl FnMut(Written<&'tree str>, Reader<'tree, '_>),
    ) {
        let Some(entry) = self.take(key) else { return };
        let Value::Table(tables) = &entry.node.value else {
            return self.wrong_type(&entry.node, &format!("tables written as `[{key}.NAME]`"));
        };
        for (name, entry) in tables {
            let span = entry.node.span;
            let record = &mut self.findings.record;
            let place = record.enter_headed(&self.place, key, Some(name), section, span);
            if let Some(reader) = self.enter(entry, section, format!("{key} `{name}`"), place) {
                read(Written { value: name, key: entry.key, span: entry.key }, reader);
            }
        }
    }

    /// Refuses every key that was not taken.
    pub(super) fn deny_rest(self) {
        let Self { section, title, table, taken, findings, .. } = self;
        for (key, entry) in table {
            if taken.contains(&key.as_str()) {
                continue;
            }
            if findings.is_full() {
                findings.broken = true;
                return;
            }
            findings.report(match reference::find(section, key).map(|key| key.standing) {
                Some(Standing::NotYet(instead)) => not_enforced(key, section, entry, instead),
                _ => unknown_key(key, section, &title, entry.key),
            });
        }
    }
}

/// The name a table goes by in a sentence.
fn named(key: &str, table: &Table) -> String {
    match text_of(table, "name") {
        Some(name) => format!("{key} `{name}`"),
        None => format!("`[[{key}]]`"),
    }
}

/// The name a table goes by in a path; one without a name goes by what it does, or asks.
fn name_of(table: &Table) -> Option<&str> {
    let keys = ["name", "operation", "request"];
    keys.into_iter().find_map(|key| text_of(table, key))
}

fn text_of<'tree>(table: &'tree Table, key: &str) -> Option<&'tree str> {
    match &table.get(key)?.node.value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn unknown_key(key: &str, section: &str, title: &str, span: Span) -> Problem {
    let known: Vec<&str> = reference::keys_of(section)
        .filter(|key| key.standing == Standing::Read)
        .map(|key| key.name)
        .collect();
    let mut problem =
        Problem::new(Code::UnknownKey, span, format!("unknown key `{key}` in {title}"));
    if section == "policy" {
        problem = problem.note("a rule without it would hold for other requests than are meant");
    }
    problem.help(match suggest::nearest(key, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("known here: {}", known.join(", ")),
    })
}

fn not_enforced(key: &str, section: &str, entry: &Entry, instead: &str) -> Problem {
    let is_table = section.is_empty();
    // A section is pointed at by its header, a key by itself.
    let (span, what) = match &entry.node.value {
        Value::Array(nodes) if is_table => {
            (nodes.first().map_or(entry.node.span, |node| node.span), format!("`[[{key}]]`"))
        }
        Value::Table(named) if is_table => {
            // `[jwt.idp]` alone makes a table `jwt` without a header of its own.
            let first = named.values().map(|named| named.node.span).min();
            let is_implied = entry.node.span == entry.key;
            let span = first.filter(|_| is_implied).unwrap_or(entry.node.span);
            (span, format!("`[{key}]`"))
        }
        _ => (entry.key, format!("`{key}`")),
    };
    Problem::new(Code::NotEnforced, span, format!("{what} is not enforced by this version"))
        .note("a setting that is read and not enforced would promise what nothing holds")
        .help(instead)
}
