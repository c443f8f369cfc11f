//! One thing that is wrong with a configuration, where, and what to do about it.

use alloc::string::String;
use alloc::vec::Vec;

use super::{Code, Severity, Span};

/// One thing that is wrong. It never holds the value of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, as a word.
    pub code: Code,
    /// How grave it is.
    pub severity: Severity,
    /// The text it is about.
    pub span: Span,
    /// What is wrong, as a sentence without a full stop.
    pub sentence: String,
    /// Why it matters.
    pub note: Option<String>,
    /// What to write instead; can be pasted where it is code.
    pub help: Option<String>,
    /// Other places that belong to it, each with a word on what stands there.
    pub again: Vec<(Span, String)>,
}

impl Problem {
    /// A problem as grave as its code.
    #[must_use]
    pub fn new(code: Code, span: Span, sentence: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            span,
            sentence: sentence.into(),
            note: None,
            help: None,
            again: Vec::new(),
        }
    }

    /// The same as a warning.
    #[must_use]
    pub fn as_warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// The same with a reason why it matters.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// The same with what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same with another place that belongs to it.
    #[must_use]
    pub fn again(mut self, span: Span, what: impl Into<String>) -> Self {
        self.again.push((span, what.into()));
        self
    }
}
