//! What the program says when it panics: where, and never with which values.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::{self, PanicHookInfo};
use std::thread;

use crate::print;

/// From now on, a panic in any thread tells its place, and its words only if they stand in the
/// source. Words that are made while the program runs may hold what it was working on: the text that
/// was cut, the answer that was not expected, a secret in either.
pub(crate) fn withhold_values() {
    panic::set_hook(Box::new(|panicked| print::words(&report(panicked))));
}

fn report(panicked: &PanicHookInfo<'_>) -> String {
    let place = panicked.location().map_or_else(String::new, |place| format!(" at {place}"));
    let thread = thread::current();
    let thread = thread.name().unwrap_or("without a name").to_owned();
    let words = match panicked.payload().downcast_ref::<&'static str>() {
        Some(words) => format!(": {words}"),
        None => {
            "\n  = note: its words are withheld: they may hold what was being worked on".to_owned()
        }
    };
    let way = Backtrace::capture();
    let way = match way.status() {
        BacktraceStatus::Captured => format!("\n{way}"),
        _ => "\n  = help: `RUST_BACKTRACE=1` shows the way there; please report it with the place"
            .to_owned(),
    };
    format!("error: a fault of this program: thread `{thread}` panicked{place}{words}{way}")
}

#[cfg(test)]
mod tests {
    use std::env;
    use std::process::Command;

    use authmesh::config::{Secret, SecretReference};

    use super::*;

    /// Makes this test's process the one that panics; its value says whether values are withheld.
    const CHILD: &str = "AUTHMESH_TEST_PANICS";

    /// Where that process finds the secret.
    const CANARY: &str = "AUTHMESH_TEST_CANARY";

    /// The ways in which a panic comes to hold what it was about.
    const WAYS: [fn(&str); 8] = [
        |secret| panic!("cannot use {secret}"),
        |secret| drop(format!("{secret}é")[..=secret.len()].to_owned()),
        |secret| refused(secret).unwrap(),
        |secret| refused(secret).expect("a number"),
        |secret| assert_eq!(secret, "another"),
        |secret| assert!(secret.parse::<u8>().map_err(|error| (secret, error)).unwrap() > 0),
        |secret| panic::panic_any(secret.to_owned()),
        |secret| panic!("{}", ["in ", secret, " parts"].concat()),
    ];

    /// Words that stand in the source.
    const OWN_WORDS: &str = "these words stand in the source";

    #[test]
    fn a_panic_tells_its_place_and_no_value() {
        if let Some(withheld) = env::var_os(CHILD) {
            return panic_in_every_way(withheld == "withheld");
        }
        let canary = std::fs::read_to_string("/proc/sys/kernel/random/uuid").unwrap();
        let canary = canary.trim();
        let shown = said(canary, "shown");
        assert_eq!(shown.matches("panicked at").count(), 2 * WAYS.len() + 1, "{shown}");
        let leaks = shown.matches(canary).count();
        assert!(leaks >= 2 * (WAYS.len() - 1), "the ways are none: {leaks} in {shown}");

        let withheld = said(canary, "withheld");
        assert!(!withheld.contains(canary), "{}", withheld.replace(canary, "<the canary>"));
        assert_eq!(
            withheld.matches("panicked at crates/").count(),
            2 * WAYS.len() + 1,
            "{withheld}"
        );
        for wanted in ["src/panics.rs:", "thread `worker-7`", OWN_WORDS, "RUST_BACKTRACE"] {
            assert!(withheld.contains(wanted), "{wanted} in {withheld}");
        }
    }

    /// What a process says that panics in every way.
    fn said(canary: &str, how: &str) -> String {
        let test = "panics::tests::a_panic_tells_its_place_and_no_value";
        let mut child = Command::new(env::current_exe().unwrap());
        child.args(["--exact", test, "--nocapture"]).env(CHILD, how).env(CANARY, canary);
        let child = child.env("RUST_BACKTRACE", "0").output().unwrap();
        assert!(child.status.success(), "{child:?}");
        String::from_utf8(child.stderr).unwrap()
    }

    fn refused(secret: &str) -> Result<(), String> {
        Err(secret.to_owned())
    }

    fn panic_in_every_way(is_withheld: bool) {
        if is_withheld {
            withhold_values();
        }
        let secret = Secret::fetch(&SecretReference::Environment(CANARY.into())).unwrap();
        let secret: &'static str = String::from_utf8(secret.expose().to_owned()).unwrap().leak();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for way in WAYS {
            let worker = thread::Builder::new().name("worker-7".to_owned());
            assert!(worker.spawn(move || way(secret)).unwrap().join().is_err());
            assert!(runtime.block_on(runtime.spawn(async move { way(secret) })).is_err());
        }
        assert!(thread::spawn(|| panic!("these words stand in the source")).join().is_err());
    }
}
