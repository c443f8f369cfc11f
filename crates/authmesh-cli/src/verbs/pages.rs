//! `completions` and `man`: what packagers put beside the program, made from the command line.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::ending::{Ending, Failure};
use crate::print;

/// Writes the completion script of a shell.
pub(crate) fn completions(shell: Shell) {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "authmesh", &mut script);
    print::asked_bytes(&script);
}

/// Writes the manual page: the program, then each verb.
pub(crate) fn manual() -> Result<Ending, Failure> {
    let mut page = Vec::new();
    let mut command = Arguments::command();
    command.build();
    clap_mangen::Man::new(command.clone()).render(&mut page).map_err(Failure::bad_input)?;
    for verb in command.get_subcommands().filter(|verb| verb.get_name() != "help") {
        let man = clap_mangen::Man::new(verb.clone());
        let sections = man
            .render_name_section(&mut page)
            .and_then(|()| man.render_synopsis_section(&mut page))
            .and_then(|()| man.render_options_section(&mut page));
        sections.map_err(Failure::bad_input)?;
    }
    print::asked_bytes(&page);
    Ok(Ending::Done)
}
