//! Set-up, checks, tests, benches and generated documents: `cargo xtask VERB`.

mod say;

mod stopwatch;

mod command;

mod rust_source;

mod packages;

mod workspace;

mod licences;

mod setup;

mod bench;

mod house;

mod check;

mod models;

mod test;

use std::process::ExitCode;

use crate::say::say;

const HELP: &str = "\
cargo xtask VERB

  setup                 install what tests and benches need, where it may; say what is missing
  check                 formatting, lints, the rules of the house, documentation, licences
  test [FILTER …]       every test: documentation, examples, crates, whole programs, models
  models                only the breaker's models: every interleaving of its calls
  house [--write]       only the rules of the house; --write regenerates what is generated
  bench proxy [--rounds N] [--seconds S] [--proxies A,B] [--cases A,B] [--write]
                        the proxy beside a bare hyper proxy, HAProxy and nginx
  bench tls [--rounds N] [--seconds S] [--proxies A,B] [--write]
                        the same beside each other with mutual TLS
  bench breaker [--write]
                        the breakers beside other crates', as multiples of one atomic addition";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(format!("\nxtask: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[String]) -> anyhow::Result<()> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["setup"] => setup::run(setup::Need::Everything),
        ["check"] => check::run(),
        ["test", filters @ ..] => test::run(filters),
        ["models"] => models::run(&workspace::Workspace::load()?),
        ["house"] => house::run(house::Generated::Compare),
        ["house", "--write"] => house::run(house::Generated::Write),
        ["bench", "proxy", options @ ..] => bench::run(options),
        ["bench", "tls", options @ ..] => bench::tls(options),
        ["bench", "breaker", options @ ..] => bench::breakers(options),
        [] | ["help" | "--help" | "-h"] => {
            say(HELP);
            Ok(())
        }
        other => anyhow::bail!("no such verb: `{}`; the verbs are:\n\n{HELP}", other.join(" ")),
    }
}
