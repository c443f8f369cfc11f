//! One provider as a running mesh holds it: its keys, when they are fetched, and what was counted.

use std::path::Path;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwapOption;
use authmesh_logic::Moment;
use authmesh_logic::jwt::{Ask, KeyRefresh, Provider, Standing};
use tokio::sync::{Notify, watch};

use super::believed::hash_of;
use super::copy;
use super::counts::{FetchCounts, TokenCounts};
use super::fetch::Fetched;
use super::fetch_fault::FetchFault;
use super::held::Held;
use super::key_set::KeySetFault;
use super::wait::KeyWait;
use crate::clock::Clock;
use crate::luck::with_dice;

/// One provider of a running mesh.
pub(super) struct Issuer {
    pub(super) provider: Provider,
    pub(super) held: ArcSwapOption<Held>,
    /// Asked only about keys that are not held, and at the ends of a fetch.
    refresh: Mutex<KeyRefresh>,
    /// Counts the fetches that have ended.
    rounds: watch::Sender<u64>,
    waiting: Arc<AtomicUsize>,
    /// Rings when a fetch is to begin before its time.
    pub(super) wanted: Notify,
    pub(super) tokens: Arc<TokenCounts>,
    pub(super) fetches: Arc<FetchCounts>,
    /// Since when and why keys do not come.
    fault: Mutex<Option<(SystemTime, FetchFault)>>,
}

/// What is known of a token whose key is not held.
pub(super) enum Looked {
    /// A fetch is in flight: look again when it has ended.
    Wait(KeyWait),
    /// The issuer has no such key.
    Unknown,
    /// Nobody can say.
    Unavailable,
}

impl Issuer {
    /// A provider that goes on from `before` as far as its keys are the same ones, or else from a copy
    /// that was kept.
    pub(super) fn new(provider: Provider, before: Option<&Self>) -> Self {
        let now = Clock.now();
        let mut issuer = Self {
            provider,
            held: ArcSwapOption::empty(),
            refresh: Mutex::new(KeyRefresh::new(now)),
            rounds: watch::Sender::new(0),
            waiting: Arc::default(),
            wanted: Notify::new(),
            tokens: before.map(|before| Arc::clone(&before.tokens)).unwrap_or_default(),
            fetches: before.map(|before| Arc::clone(&before.fetches)).unwrap_or_default(),
            fault: Mutex::default(),
        };
        match before.filter(|before| issuer.provider.has_keys_of(&before.provider)) {
            Some(before) => issuer.succeed(before, now),
            None => issuer.restore(now),
        }
        issuer
    }

    /// When the next fetch is to begin; at once if one was asked for.
    pub(super) fn due(&self, now: Moment) -> Moment {
        self.refresh().due().unwrap_or(now)
    }

    /// Begins a fetch if it is time, or if one was asked for.
    pub(super) fn begins(&self) -> bool {
        let mut refresh = self.refresh();
        let is_asked_for = refresh.due().is_none();
        is_asked_for || with_dice(|dice| refresh.begin(&self.provider.refresh, dice, Clock.now()))
    }

    /// Takes what a fetch brought.
    pub(super) fn take(&self, fetched: Result<Fetched, FetchFault>) {
        let now = Clock.now();
        let policy = &self.provider.refresh;
        let learned = fetched.and_then(|Fetched { body, fresh_for }| {
            let document = std::str::from_utf8(&body).map_err(|_| KeySetFault::Malformed);
            let until = now + policy.stale_if_error;
            let held = document
                .and_then(|document| Held::of(document.into(), &self.provider.tokens, until));
            Ok((held.map_err(FetchFault::Keys)?, fresh_for))
        });
        self.fetches.count(&learned);
        match learned {
            Ok((held, fresh_for)) => {
                self.keep_copy(&held.document);
                self.exchange(held);
                with_dice(|dice| self.refresh().succeeded(policy, fresh_for, dice, now));
                self.note(None);
            }
            Err(fault) => {
                with_dice(|dice| self.refresh().failed(policy, dice, now));
                self.note(Some(fault));
            }
        }
        self.rounds.send_modify(|round| *round += 1);
    }

    /// Looks for a key that is not held.
    pub(super) fn look_for(&self, key: &str) -> Looked {
        let Some(wait) = KeyWait::take(&self.rounds, &self.waiting) else {
            return Looked::Unavailable;
        };
        let name = name_of(key);
        let ask =
            with_dice(|dice| self.refresh().ask(&self.provider.refresh, name, dice, Clock.now()));
        match ask {
            Ask::Fetch => {
                self.wanted.notify_one();
                Looked::Wait(wait)
            }
            Ask::Wait => Looked::Wait(wait),
            Ask::Unknown => Looked::Unknown,
            Ask::Unreachable => Looked::Unavailable,
        }
    }

    pub(super) fn standing(&self, now: Moment) -> Standing {
        self.refresh().standing(now)
    }

    /// Since when and why keys do not come.
    pub(super) fn fault(&self) -> Option<(SystemTime, FetchFault)> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells when a fetch has ended, from now on.
    pub(super) fn rounds(&self) -> watch::Receiver<u64> {
        self.rounds.subscribe()
    }

    fn succeed(&mut self, before: &Self, now: Moment) {
        let (old, new) = (&before.provider.refresh, &self.provider.refresh);
        let refresh = before.refresh().succeeding(old, new, now);
        if let (Some(held), Some(until)) = (&*before.held.load(), refresh.usable_until()) {
            self.held.store(held.succeeding(&self.provider, until).map(Arc::new));
        }
        self.refresh = Mutex::new(refresh);
        self.fault = Mutex::new(before.fault());
    }

    fn restore(&mut self, now: Moment) {
        let Some(path) = &self.provider.copy else { return };
        let time = Clock.time_of_day();
        let kept = copy::read(Path::new(&**path), &self.provider, time);
        let Some((document, age)) = kept else { return };
        let mut refresh = KeyRefresh::new(now);
        refresh.restored(&self.provider.refresh, age, now);
        let until = refresh.usable_until().unwrap_or(now);
        let Ok(held) = Held::of(document.into(), &self.provider.tokens, until) else { return };
        tracing::info!(provider = %self.provider.name, ?age, "the kept copy of the keys is used");
        self.held.store(Some(Arc::new(held)));
        self.refresh = Mutex::new(refresh);
    }

    /// Puts keys in force. Those that came again are the same edition, so that what was believed by
    /// them is not judged anew.
    fn exchange(&self, held: Held) {
        let before = self.held.load_full();
        let edition = before.filter(|before| before.document == held.document);
        let edition = edition.map_or(held.edition, |before| before.edition);
        self.held.store(Some(Arc::new(Held { edition, ..held })));
    }

    fn keep_copy(&self, document: &str) {
        let Some(path) = &self.provider.copy else { return };
        let time = Clock.time_of_day();
        let written = copy::write(Path::new(&**path), &self.provider, document, time);
        if let Err(error) = written {
            tracing::warn!(provider = %self.provider.name, %error, "the keys are not kept on disk");
        }
    }

    /// Notes how a fetch ended, and tells where that is news.
    fn note(&self, fault: Option<FetchFault>) {
        let provider = &*self.provider.name;
        let mut noted = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        match (&*noted, &fault) {
            (Some((_, before)), Some(fault)) if before.word() == fault.word() => {}
            (_, Some(fault)) => {
                tracing::warn!(provider, %fault, "the keys of the issuer do not come");
            }
            (Some(_), None) => tracing::info!(provider, "the keys of the issuer come again"),
            (None, None) => {}
        }
        let since = noted.as_ref().map_or_else(|| Clock.time_of_day(), |(since, _)| *since);
        *noted = fault.map(|fault| (since, fault));
    }

    fn refresh(&self) -> MutexGuard<'_, KeyRefresh> {
        self.refresh.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name of a key as it is remembered: of one length, however long a token makes it.
fn name_of(key: &str) -> u64 {
    let mut start = [0; 8];
    start.copy_from_slice(&hash_of(key)[..8]);
    u64::from_be_bytes(start)
}
