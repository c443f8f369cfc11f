//! `demo`: an authentication system on a bad day, behind the mesh and without it.

use std::io::{self, IsTerminal, Write};

use authmesh_demo::Options;

use crate::arguments::Demo;
use crate::ending::{Ending, Failure};
use crate::print;

/// Gives the demonstration. With JSON, words go to stderr and the report to stdout.
pub(crate) fn demo(demo: &Demo) -> Result<Ending, Failure> {
    let is_json = demo.json || demo.output.is_json();
    let (out, is_terminal): (Box<dyn Write + Send>, bool) = if is_json {
        (Box::new(io::stderr()), io::stderr().is_terminal())
    } else {
        (Box::new(io::stdout()), io::stdout().is_terminal())
    };
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let options = Options {
        seconds: demo.seconds,
        seed: demo.seed,
        out,
        is_terminal,
        is_coloured: is_terminal && !no_colour,
    };
    let report = match authmesh_demo::run(options) {
        Ok(authmesh_demo::Ending::Done(report)) => report,
        Ok(authmesh_demo::Ending::Interrupted) => return Ok(Ending::Interrupted),
        Err(failure) => return Err(Failure::bad_input(failure)),
    };
    if is_json {
        print::asked(&serde_json::to_string(&report).map_err(Failure::bad_input)?);
    }
    Ok(if report.leaks.is_none() { Ending::Done } else { Ending::No })
}
