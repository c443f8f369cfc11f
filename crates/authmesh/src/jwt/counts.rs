//! Counts what came of tokens and of fetches.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use authmesh_logic::jwt::TokenFault;

use super::fetch_fault::FetchFault;

/// What came of the tokens of one provider.
#[derive(Debug, Default)]
pub(super) struct TokenCounts {
    believed: AtomicU64,
    unavailable: AtomicU64,
    faulty: [AtomicU64; TokenFault::ALL.len()],
}

/// What came of the fetches of one provider's keys.
#[derive(Default)]
pub(super) struct FetchCounts(Mutex<BTreeMap<&'static str, u64>>);

/// The word for a token that was believed, and for a fetch that brought keys.
pub(super) const OK: &str = "ok";

/// The word for a token that could not be judged.
const UNAVAILABLE: &str = "unavailable";

impl TokenCounts {
    pub(super) fn believed(&self) {
        self.believed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn unavailable(&self) {
        self.unavailable.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn faulty(&self, fault: TokenFault) {
        let place = TokenFault::ALL.iter().position(|known| *known == fault);
        if let Some(count) = place.and_then(|place| self.faulty.get(place)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Each result that ever came, in a word, and how often.
    pub(super) fn counted(&self) -> Vec<(&'static str, u64)> {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let first = [(OK, of(&self.believed)), (UNAVAILABLE, of(&self.unavailable))];
        let faulty = TokenFault::ALL.iter().zip(&self.faulty);
        let faulty = faulty.map(|(fault, count)| (fault.word(), of(count)));
        first.into_iter().chain(faulty).filter(|(word, count)| *count > 0 || *word == OK).collect()
    }
}

impl FetchCounts {
    pub(super) fn count<T>(&self, fetched: &Result<T, FetchFault>) {
        let word = fetched.as_ref().err().map_or(OK, FetchFault::word);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(word).or_default() += 1;
    }

    /// Each end that ever came, in a word, and how often.
    pub(super) fn counted(&self) -> Vec<(&'static str, u64)> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut counted: Vec<_> = counts.iter().map(|(word, count)| (*word, *count)).collect();
        if !counts.contains_key(OK) {
            counted.insert(0, (OK, 0));
        }
        counted
    }
}
