//! What is wrong with a file of the mesh's own identity.

use std::fmt;

use authmesh_logic::config::Code;

/// What is wrong with one file that an identity is read from. It never holds what is in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityFault {
    /// Which file.
    pub part: Part,
    /// What is wrong, as a word.
    pub code: Code,
    /// What is wrong, as a sentence without a full stop.
    pub sentence: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// A file that an identity is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The own certificate.
    Cert,
    /// Its private key.
    Key,
    /// The bundle of the own trust domain.
    Bundle,
    /// The revocation lists.
    Crl,
    /// The bundle of another trust domain: which, in the order of the configuration.
    Federation(usize),
}

impl IdentityFault {
    pub(super) fn new(part: Part, code: Code, sentence: impl Into<String>) -> Self {
        Self { part, code, sentence: sentence.into(), help: None }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for IdentityFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} [{}]", self.sentence, self.code)?;
        if let Some(help) = &self.help {
            write!(formatter, "\n  = help: {help}")?;
        }
        Ok(())
    }
}

impl std::error::Error for IdentityFault {}
