//! The configuration as written: values with their places in the text, nothing judged yet.
//!
//! The types have no `Debug`: a faulty text may hold a secret.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

/// A stretch of one file, in bytes from its beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Which file, counted in the order in which they were read.
    pub file: u16,
    /// The first byte.
    pub start: u32,
    /// The byte behind the last.
    pub end: u32,
}

impl Span {
    /// From the beginning of `self` to the end of `last`.
    #[must_use]
    pub const fn to(self, last: Self) -> Self {
        Self { end: last.end, ..self }
    }

    /// Whether both have a byte in common or touch.
    #[must_use]
    pub const fn touches(self, other: Self) -> bool {
        self.file == other.file && self.start <= other.end && other.start <= self.end
    }
}

/// One file, parsed.
#[derive(Clone)]
pub struct Tree {
    /// Which file, counted in the order in which they were read.
    pub file: u16,
    /// What stands at the top of it.
    pub root: Table,
    /// Where the text is not TOML, so that parts of it may be missing from `root`.
    pub damage: Vec<Span>,
}

/// A table: its entries by key.
pub type Table = BTreeMap<String, Entry>;

/// One key and its value.
#[derive(Clone)]
pub struct Entry {
    /// Where the key stands.
    pub key: Span,
    /// The value.
    pub node: Node,
}

/// One value and its place. The place of a table with a header is the header.
#[derive(Clone)]
pub struct Node {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub value: Value,
}

/// What a value is.
#[derive(Clone)]
pub enum Value {
    /// Text.
    String(String),
    /// A whole number.
    Integer(i64),
    /// Another number.
    Float(f64),
    /// Yes or no.
    Boolean(bool),
    /// A date, a time or both; no key takes one.
    Datetime,
    /// Values in order.
    Array(Vec<Node>),
    /// Values by key.
    Table(Table),
}

impl Value {
    /// What it is, for a sentence: "a string".
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::String(_) => "a string",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Boolean(_) => "a boolean",
            Self::Datetime => "a date or time",
            Self::Array(_) => "an array",
            Self::Table(_) => "a table",
        }
    }
}
