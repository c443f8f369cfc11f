//! The tokens of a running mesh: its providers, changed with the configuration.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use authmesh_logic::jwt::Provider;

use super::counts::TokenCounts;
use super::issuer::Issuer;
use super::keeper::Keeper;
use super::status::{Counted, ProviderStatus, counted};
use super::verifier::TokenVerifier;
use crate::clock::Clock;

/// The tokens of a running mesh.
///
/// Keys are fetched in tasks of their own, never by a request. What cannot be fetched is never made up
/// for: without keys that may be used, no token is believed.
pub struct MeshTokens {
    keepers: Mutex<Vec<Keeper>>,
    verifier: ArcSwap<TokenVerifier>,
    strays: Arc<TokenCounts>,
}

impl MeshTokens {
    /// No provider: no token is believed.
    #[must_use]
    pub fn none() -> Arc<Self> {
        let strays = Arc::default();
        let verifier = ArcSwap::from_pointee(TokenVerifier::new(Box::default(), &strays));
        Arc::new(Self { keepers: Mutex::default(), verifier, strays })
    }

    /// Puts these providers in force, and begins to fetch the keys of those that are new on the current
    /// runtime. Those that stay keep their keys; those that go are forgotten.
    pub fn adopt(&self, providers: &[Provider]) {
        let mut keepers = self.keepers();
        let mut before = std::mem::take(&mut *keepers);
        for provider in providers {
            let is_same_name = |keeper: &Keeper| keeper.issuer.provider.name == provider.name;
            let known = before.iter().position(is_same_name).map(|place| before.swap_remove(place));
            keepers.push(match known {
                Some(keeper) if keeper.issuer.provider == *provider => keeper,
                known => {
                    let before = known.as_ref().map(|keeper| &*keeper.issuer);
                    Keeper::start(Issuer::new(provider.clone(), before))
                }
            });
        }
        let issuers = keepers.iter().map(|keeper| Arc::clone(&keeper.issuer)).collect();
        self.verifier.store(Arc::new(TokenVerifier::new(issuers, &self.strays)));
    }

    /// The providers in force.
    #[must_use]
    pub fn verifier(&self) -> Arc<TokenVerifier> {
        self.verifier.load_full()
    }

    /// Waits until the first fetch of every provider without keys has ended, at most `limit`. Returns
    /// the providers that have no keys then.
    pub async fn ready(&self, limit: Duration) -> Vec<String> {
        let waiting: Vec<_> = {
            let keepers = self.keepers();
            let issuers = keepers.iter().map(|keeper| Arc::clone(&keeper.issuer));
            issuers.map(|issuer| (issuer.rounds(), issuer)).collect()
        };
        let deadline = tokio::time::sleep(limit);
        tokio::pin!(deadline);
        let mut missing = Vec::new();
        for (mut rounds, issuer) in waiting {
            let is_usable = || {
                let held = issuer.held.load();
                held.as_ref().is_some_and(|held| held.are_usable(Clock.now()))
            };
            if !is_usable() {
                tokio::select! {
                    biased;
                    _ = rounds.wait_for(|ended| *ended > 0) => {}
                    () = &mut deadline => {}
                }
            }
            if !is_usable() {
                missing.push(issuer.provider.name.to_string());
            }
        }
        missing
    }

    /// The state of every provider, by name. Asking changes nothing.
    #[must_use]
    pub fn status(&self) -> Vec<ProviderStatus> {
        let now = Clock.now();
        let keepers = self.keepers();
        let status = keepers.iter().map(|keeper| ProviderStatus::of(&keeper.issuer, now));
        let mut status: Vec<_> = status.collect();
        status.sort_by(|one, other| one.name.cmp(&other.name));
        status
    }

    /// What came of tokens of which nobody knows whose they are.
    #[must_use]
    pub fn strays(&self) -> Vec<Counted> {
        counted(self.strays.counted())
    }

    fn keepers(&self) -> MutexGuard<'_, Vec<Keeper>> {
        self.keepers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MeshTokens {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keepers = self.keepers();
        let names = keepers.iter().map(|keeper| &keeper.issuer.provider.name);
        formatter.debug_list().entries(names).finish()
    }
}
