//! What a person may choose about a bench.

use anyhow::{Context, Result, bail};

use super::load::Case;
use super::peers::Proxy;

/// The choices, with their defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// How often each proxy is measured in each case.
    pub(crate) rounds: u32,
    /// How long one measurement takes, in seconds.
    pub(crate) seconds: u32,
    /// Which proxies are measured.
    pub(crate) proxies: Vec<Proxy>,
    /// In which cases.
    pub(crate) cases: Vec<Case>,
    /// Whether the figures are kept and printed into the documentation.
    pub(crate) write: bool,
}

impl Options {
    /// Reads them from the words behind the verb.
    pub(crate) fn read(words: &[&str]) -> Result<Self> {
        let mut options = Self {
            rounds: 7,
            seconds: 2,
            proxies: Proxy::ALL.to_vec(),
            cases: Case::ALL.to_vec(),
            write: false,
        };
        let mut words = words.iter();
        while let Some(&word) = words.next() {
            let mut value =
                || words.next().copied().with_context(|| format!("{word} wants a value behind it"));
            match word {
                "--write" => options.write = true,
                "--rounds" => options.rounds = number(word, value()?)?,
                "--seconds" => options.seconds = number(word, value()?)?,
                "--proxies" => options.proxies = list(value()?, &Proxy::ALL, Proxy::word)?,
                "--cases" => options.cases = list(value()?, &Case::ALL, Case::word)?,
                _ => bail!("no such option: `{word}`; `cargo xtask help` lists them"),
            }
        }
        if options.write && options.proxies.len() < Proxy::ALL.len() {
            bail!("--write wants every proxy measured: the document compares them all");
        }
        Ok(options)
    }
}

fn number(option: &str, word: &str) -> Result<u32> {
    let number = word.parse().ok().filter(|number| (1..=600).contains(number));
    number.with_context(|| format!("{option} wants a number from 1 to 600, not `{word}`"))
}

fn list<T: Copy>(words: &str, all: &[T], name: fn(T) -> &'static str) -> Result<Vec<T>> {
    let one = |word: &str| {
        let known = || all.iter().map(|&item| name(item)).collect::<Vec<_>>().join(", ");
        let found = all.iter().copied().find(|&item| name(item) == word);
        found.with_context(|| format!("no such name: `{word}`; there are {}", known()))
    };
    words.split(',').map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_read_and_the_rest_is_default() {
        let words = ["--rounds", "3", "--proxies", "bare,nginx", "--cases", "small"];
        let options = Options::read(&words).unwrap();
        assert_eq!(options.rounds, 3);
        assert_eq!(options.seconds, 2);
        assert_eq!(options.proxies, [Proxy::Bare, Proxy::Nginx]);
        assert_eq!(options.cases, [Case::Small]);
    }

    #[test]
    fn wrong_choices_are_refused_in_words() {
        for words in [
            &["--rounds"][..],
            &["--rounds", "0"],
            &["--rounds", "many"],
            &["--proxies", "squid"],
            &["--fast"],
            &["--write", "--proxies", "bare"],
        ] {
            assert!(Options::read(words).is_err(), "{words:?}");
        }
    }
}
