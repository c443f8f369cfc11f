//! Says how every provider stands: whether its keys can be used, how old they are, what was counted.

use std::time::UNIX_EPOCH;

use authmesh_logic::Moment;
use authmesh_logic::jwt::{KeySource, Standing};
use serde::Serialize;

use super::issuer::Issuer;

/// The state of one provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProviderStatus {
    /// Its name.
    pub name: String,
    /// Whose tokens it is about.
    pub issuer: String,
    /// Where its keys come from.
    pub source: String,
    /// `missing`, `fresh`, `stale` (they did not come again, and may still be used) or `ended`.
    pub standing: &'static str,
    /// How many keys there are.
    pub keys: usize,
    /// How old they are, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_s: Option<u64>,
    /// For how long they may still be used, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usable_for_s: Option<u64>,
    /// Why keys do not come, as a sentence; `None` if they do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// Since when they do not, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault_since: Option<u64>,
    /// How fetches ended.
    #[serde(skip)]
    pub fetches: Vec<Counted>,
    /// What came of tokens.
    #[serde(skip)]
    pub tokens: Vec<Counted>,
}

/// How often something ended in one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// How, in a word.
    pub result: &'static str,
    /// How often.
    pub count: u64,
}

impl ProviderStatus {
    /// Whether its tokens can be judged.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.usable_for_s.is_some_and(|left| left > 0)
    }

    pub(super) fn of(issuer: &Issuer, now: Moment) -> Self {
        let provider = &issuer.provider;
        let held = issuer.held.load();
        let left = held.as_ref().map(|held| held.usable_until.since(now));
        let fault = issuer.fault();
        let since = fault.as_ref().map(|(since, _)| since.duration_since(UNIX_EPOCH));
        Self {
            name: provider.name.to_string(),
            issuer: provider.tokens.issuer.to_string(),
            source: match &provider.keys {
                KeySource::Discovery => "discovery".to_owned(),
                KeySource::Url(place) | KeySource::File(place) => place.to_string(),
            },
            standing: match issuer.standing(now) {
                Standing::Missing => "missing",
                Standing::Fresh => "fresh",
                Standing::Stale(_) => "stale",
                Standing::Ended => "ended",
            },
            keys: held.as_ref().map_or(0, |held| held.keys.len()),
            age_s: left.map(|left| provider.refresh.stale_if_error.saturating_sub(left).as_secs()),
            // Rounded up: a part of a second is still time.
            usable_for_s: left.map(|left| left.as_millis().div_ceil(1_000) as u64),
            fault: fault.map(|(_, fault)| fault.to_string()),
            fault_since: since.map(|since| since.unwrap_or_default().as_secs()),
            fetches: counted(issuer.fetches.counted()),
            tokens: counted(issuer.tokens.counted()),
        }
    }
}

pub(super) fn counted(counts: Vec<(&'static str, u64)>) -> Vec<Counted> {
    counts.into_iter().map(|(result, count)| Counted { result, count }).collect()
}
