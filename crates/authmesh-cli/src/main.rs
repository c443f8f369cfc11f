//! The program `authmesh`.
//!
//! Modules stand in the order in which they may use one another: each only those above it.

mod ending;

mod print;

mod panics;

mod arguments;

mod mesh_file;

mod authority;

mod show;

mod admin_client;

mod running;

mod verbs;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::Arguments;

fn main() -> ExitCode {
    panics::withhold_values();
    let ending = match verbs::perform(Arguments::parse()) {
        Ok(ending) => ending,
        Err(failure) => {
            print::words(&format!("error: {failure}"));
            failure.ending()
        }
    };
    ending.code()
}
