//! Counts what the access rules refuse, and tells it without letting a flood of it drown the rest.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use authmesh::Mesh;
use authmesh::telemetry::EventKind;
use authmesh::worker::Clock;
use authmesh_logic::Moment;
use authmesh_logic::authorization::Answer;

/// For each service, refusals are told at most this often; those between are in the next event.
const TELL_INTERVAL: Duration = Duration::from_secs(1);

/// What the access rules of a mesh refused.
pub(crate) struct Refusals {
    mesh: Mesh,
    /// By service; the empty name stands for requests that no route takes.
    services: RwLock<BTreeMap<String, Arc<Tally>>>,
}

/// What was refused of one service.
#[derive(Default)]
pub(crate) struct Tally {
    refused: [AtomicU64; Answer::REFUSALS.len()],
    changed_by_shadow: AtomicU64,
    untold: AtomicU64,
    /// When an event was told last, in nanoseconds and one; 0 is never.
    told: AtomicU64,
}

/// How often one service was refused for one reason.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) service: String,
    /// In the order of [`Answer::REFUSALS`].
    pub(crate) refused: [u64; Answer::REFUSALS.len()],
    /// Requests of which a rule in shadow mode would have changed the answer.
    pub(crate) changed_by_shadow: u64,
}

impl Refusals {
    pub(crate) fn new(mesh: Mesh) -> Self {
        Self { mesh, services: RwLock::default() }
    }

    /// Keeps the counts of these services, and forgets others: the map is as large as the
    /// configuration.
    pub(crate) fn keep<'a>(&self, services: impl Iterator<Item = &'a str>) {
        let mut known = self.services.write().unwrap_or_else(PoisonError::into_inner);
        let mut kept: BTreeMap<String, Arc<Tally>> = services
            .chain([""])
            .map(|name| (name.to_owned(), known.remove(name).unwrap_or_default()))
            .collect();
        std::mem::swap(&mut *known, &mut kept);
    }

    /// Notes that a request of `service` was refused, by `rule` if by one.
    pub(crate) fn refused(&self, service: &str, answer: Answer, rule: Option<&str>) {
        let (Some(tally), Some(reason)) = (self.tally(service), answer.reason()) else { return };
        let place = Answer::REFUSALS.iter().position(|refusal| *refusal == answer);
        if let Some(counter) = place.and_then(|place| tally.refused.get(place)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        if let (Some(requests), Ok(service)) = (tally.due(Clock.now()), service.parse()) {
            let rule = rule.map(str::to_owned);
            self.mesh.tell(&service, EventKind::Refused { reason, rule, requests });
        }
    }

    /// Notes that a rule in shadow mode would have changed an answer.
    pub(crate) fn changed_by_shadow(&self, service: &str) {
        if let Some(tally) = self.tally(service) {
            tally.changed_by_shadow.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Every count, by service.
    pub(crate) fn counted(&self) -> Vec<Counted> {
        let services = self.services.read().unwrap_or_else(PoisonError::into_inner);
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        services
            .iter()
            .map(|(service, tally)| Counted {
                service: service.clone(),
                refused: tally.refused.each_ref().map(count),
                changed_by_shadow: count(&tally.changed_by_shadow),
            })
            .collect()
    }

    fn tally(&self, service: &str) -> Option<Arc<Tally>> {
        let services = self.services.read().unwrap_or_else(PoisonError::into_inner);
        services.get(service).cloned()
    }
}

impl Tally {
    /// How many refusals are to be told now, this one included; `None` if it is too early.
    fn due(&self, now: Moment) -> Option<u64> {
        self.untold.fetch_add(1, Ordering::Relaxed);
        let last = self.told.load(Ordering::Relaxed);
        let is_early = last != 0 && now.since(Moment::from_nanos(last - 1)) < TELL_INTERVAL;
        let mark = now.as_nanos().saturating_add(1);
        if is_early
            || self.told.compare_exchange(last, mark, Ordering::Relaxed, Ordering::Relaxed).is_err()
        {
            return None;
        }
        Some(self.untold.swap(0, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn mesh() -> Mesh {
        let text = "version = 1\n[service.token]\nendpoints = [\"127.0.0.1:1\"]\n";
        let config = authmesh::config::parse(text, "mesh.toml").unwrap().config;
        Mesh::builder(config).build().await.unwrap()
    }

    #[tokio::test]
    async fn refusals_are_counted_by_service_and_reason_and_outlive_a_change() {
        let refusals = Refusals::new(mesh().await);
        refusals.keep(["token", "login"].into_iter());
        refusals.refused("token", Answer::DeniedBy, Some("no-admin"));
        refusals.refused("token", Answer::AuthenticationMissing, None);
        refusals.refused("login", Answer::NoAllowRule, None);
        refusals.refused("", Answer::NoAllowRule, None);
        refusals.refused("nobody", Answer::NoAllowRule, None);
        refusals.changed_by_shadow("token");
        refusals.keep(["token"].into_iter());
        let counted = |service: &str, refused, changed_by_shadow| Counted {
            service: service.to_owned(),
            refused,
            changed_by_shadow,
        };
        let wanted = [counted("", [0, 1, 0, 0, 0], 0), counted("token", [1, 0, 1, 0, 0], 1)];
        assert_eq!(refusals.counted(), wanted);
    }

    #[tokio::test]
    async fn a_refusal_is_told_with_its_rule() {
        let mesh = mesh().await;
        let mut events = mesh.events();
        let refusals = Refusals::new(mesh);
        refusals.keep(["token"].into_iter());
        refusals.refused("token", Answer::DeniedBy, Some("no-admin"));
        loop {
            if let EventKind::Refused { reason, rule, requests } = events.next().await.unwrap().kind
            {
                assert_eq!((reason, rule.as_deref(), requests), ("denied_by", Some("no-admin"), 1));
                return;
            }
        }
    }

    #[test]
    fn a_flood_is_told_once_a_second_with_its_size() {
        let tally = Tally::default();
        let at = Moment::from_millis;
        assert_eq!(tally.due(at(0)), Some(1));
        assert_eq!(tally.due(at(1)), None);
        assert_eq!(tally.due(at(999)), None);
        assert_eq!(tally.due(at(1_000)), Some(3));
        assert_eq!(tally.due(at(1_001)), None);
        assert_eq!(tally.due(at(9_000)), Some(2));
    }
}
