//! How the program ends: the codes scripts can trust, and failures that say what to do.

use std::fmt;
use std::process::ExitCode;

/// How a verb ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Yes, or done.
    Done = 0,
    /// No: not ready, denied, warnings where none are wanted.
    No = 1,
    /// The input or the configuration is wrong.
    BadInput = 2,
    /// No running mesh was reached.
    NoMesh = 3,
    /// Somebody interrupted it.
    Interrupted = 130,
}

/// Why a verb could not do what it was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    ending: Ending,
    message: String,
}

impl Ending {
    /// The exit code of the process.
    pub(crate) fn code(self) -> ExitCode {
        ExitCode::from(self as u8)
    }
}

impl Failure {
    pub(crate) fn new(ending: Ending, message: impl Into<String>) -> Self {
        Self { ending, message: message.into() }
    }

    /// Something was wrong with what the program was given.
    pub(crate) fn bad_input(message: impl fmt::Display) -> Self {
        Self::new(Ending::BadInput, message.to_string())
    }

    pub(crate) const fn ending(&self) -> Ending {
        self.ending
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}
