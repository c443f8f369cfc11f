//! Everything that was found wrong with a configuration, with the files it was found in.

use std::error::Error;
use std::fmt;

use authmesh_logic::config::{Problem, Severity, Span};

use super::report;
use super::source::Source;

/// Everything that was found wrong; shown as a report with the lines it is about.
///
/// Nothing in it or printed by it holds a secret that stood in the text.
#[derive(Clone)]
pub struct Problems {
    found: Vec<Problem>,
    sources: Vec<Source>,
}

/// A place in a file, as people count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The file.
    pub file: &'a str,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl Problems {
    pub(super) const fn new(found: Vec<Problem>, sources: Vec<Source>) -> Self {
        Self { found, sources }
    }

    /// The problems, file by file in the order of the text.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.found.iter()
    }

    /// Whether nothing was found.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// How many problems are this grave.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.found.iter().filter(|problem| problem.severity == severity).count()
    }

    /// Where a stretch of text begins.
    #[must_use]
    pub fn place(&self, span: Span) -> Place<'_> {
        match self.source(span) {
            Some(source) => {
                let (line, column) = source.position(span.start);
                Place { file: source.name(), line, column }
            }
            None => Place { file: "", line: 1, column: 1 },
        }
    }

    /// Further problems of the same files.
    pub(super) fn add(&mut self, found: Vec<Problem>) {
        self.found.extend(found);
        self.found.sort_by_key(|problem| (problem.span.file, problem.span.start));
    }

    /// Others in the same files.
    pub(super) fn instead(&self, found: Vec<Problem>) -> Self {
        Self { found, sources: self.sources.clone() }
    }

    /// These and `others`, which are about the same files.
    #[must_use]
    pub fn and(&self, others: &Self) -> Self {
        let mut all = self.clone();
        all.add(others.found.clone());
        all
    }

    pub(super) fn source(&self, span: Span) -> Option<&Source> {
        self.sources.get(usize::from(span.file))
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        report::write(self, formatter)
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// The problems alone: the text of the files is nobody's business.
impl fmt::Debug for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(&self.found).finish()
    }
}

impl Error for Problems {}
