//! Where the log goes: stderr, for people on a terminal, as JSON otherwise.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;

use crate::arguments::LogFormat;
use crate::ending::Failure;

/// Begins the log. `filter` says what is in it.
pub(crate) fn begin(filter: &str, format: LogFormat) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        Failure::bad_input(format!(
            "`{filter}` is no filter of a log: {error}\n  = help: write a level as in \
             `--log debug`, or `--log info,authmesh=debug`"
        ))
    })?;
    let is_for_people = match format {
        LogFormat::Auto => stderr().is_terminal(),
        LogFormat::Human => true,
        LogFormat::Json => false,
    };
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    let begun = match is_for_people {
        true => log.with_ansi(is_coloured()).try_init(),
        false => log.json().flatten_event(true).try_init(),
    };
    begun.map_err(Failure::bad_input)
}

/// As <https://no-color.org> has it.
fn is_coloured() -> bool {
    stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
