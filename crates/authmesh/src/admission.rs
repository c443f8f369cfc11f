//! Lets in what an operation carries at once and the share of it that is served; refuses the rest
//! at once, as a login that waited is one nobody waits for any more.

use std::sync::Arc;
use std::time::Duration;

use authmesh_logic::concurrency::{Limiter, Place, Priority};
use authmesh_logic::config::AdmissionConfig;
use authmesh_logic::outcome::OutcomeKind;
use authmesh_logic::throttle::Throttle;
use authmesh_logic::{Lane, Moment, Ratio};

use crate::luck::with_dice;
use crate::telemetry::AdmissionMetrics;

/// The admission of one operation, for as long as its settings stay.
pub(crate) struct Admission {
    config: AdmissionConfig,
    limiter: Option<Limiter>,
    throttle: Option<Throttle>,
}

/// A request that was let in. Dropped without an outcome it gives its place back and says nothing.
pub(crate) struct Admitted {
    admission: Arc<Admission>,
    place: Option<Place>,
    lane: Lane,
}

/// Why a request is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// As many are in flight as its priority may fill.
    Full,
    /// The service serves too little of what it is asked.
    Shed,
}

/// When asking again is worth it: places come free all the time.
pub(crate) const OVERLOAD_WAIT: Duration = Duration::from_secs(1);

impl Admission {
    /// An admission by these settings; `None` if they let everything in.
    pub(crate) fn new(config: AdmissionConfig, lanes: usize, now: Moment) -> Option<Arc<Self>> {
        if config == AdmissionConfig::default() {
            return None;
        }
        let limiter =
            config.concurrency.map(|policy| with_dice(|dice| Limiter::new(&policy, dice, now)));
        let throttle = config.throttle.map(|policy| Throttle::new(&policy, lanes, now));
        Some(Arc::new(Self { config, limiter, throttle }))
    }

    /// Asks to let a request in.
    pub(crate) fn enter(
        self: &Arc<Self>,
        lane: Lane,
        priority: Priority,
        now: Moment,
    ) -> Result<Admitted, Refused> {
        if let (Some(throttle), Some(policy)) = (&self.throttle, &self.config.throttle) {
            let asked = with_dice(|dice| throttle.try_acquire(policy, lane, dice, now));
            asked.map_err(|_| Refused::Shed)?;
        }
        let place = match &self.limiter {
            Some(limiter) => Some(limiter.try_acquire(priority).map_err(|_| Refused::Full)?),
            None => None,
        };
        Ok(Admitted { admission: Arc::clone(self), place, lane })
    }

    /// What it holds now. Asking changes nothing.
    pub(crate) fn metrics(&self, now: Moment) -> AdmissionMetrics {
        let limiter = self.limiter.as_ref();
        let throttle = self.throttle.as_ref().zip(self.config.throttle.as_ref());
        let shed = throttle.map(|(throttle, policy)| throttle.rejection(policy, now));
        AdmissionMetrics {
            limit: limiter.map(Limiter::limit),
            in_flight: limiter.map(Limiter::in_flight),
            shed: shed.and_then(Ratio::from_fraction),
        }
    }
}

impl Admitted {
    /// Gives the place back and says how the request ended, `took` after its last attempt began.
    pub(crate) fn finish(mut self, kind: OutcomeKind, took: Duration, now: Moment) {
        let Admission { config, limiter, throttle } = &*self.admission;
        if let Some(throttle) = throttle {
            throttle.record(self.lane, kind, now);
        }
        // What says nothing of the service says nothing of how much it carries.
        if kind == OutcomeKind::Neutral {
            return;
        }
        if let (Some(limiter), Some(policy)) = (limiter, &config.concurrency)
            && let Some(place) = self.place.take()
        {
            let dropped = matches!(kind, OutcomeKind::Failure | OutcomeKind::Throttled);
            with_dice(|dice| limiter.finish(policy, place, took, dropped, dice, now));
        }
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        if let (Some(limiter), Some(place)) = (&self.admission.limiter, self.place.take()) {
            limiter.cancel(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use authmesh_logic::concurrency::{Algorithm, Policy};
    use authmesh_logic::throttle::{self, Formula};

    use super::*;

    const NOW: Moment = Moment::from_millis(1);

    fn limited(limit: u32) -> Arc<Admission> {
        let policy = Policy { initial: limit, least: 1, ..Policy::of(Algorithm::AIMD) };
        let config = AdmissionConfig { concurrency: Some(policy), throttle: None };
        Admission::new(config, 1, NOW).unwrap()
    }

    #[test]
    fn a_place_comes_back_whether_the_request_ended_or_was_dropped() {
        let admission = limited(2);
        let enter = || admission.enter(Lane::FIRST, Priority::MOST, NOW);
        let (one, two) = (enter().unwrap(), enter().unwrap());
        assert_eq!(enter().err(), Some(Refused::Full));
        one.finish(OutcomeKind::Success, Duration::from_millis(5), NOW);
        drop(two);
        let metrics = admission.metrics(NOW);
        let found = (metrics.limit, metrics.in_flight);
        assert_eq!(found, (Some(3), Some(0)), "a success with both in use");
    }

    #[test]
    fn only_what_says_something_of_the_service_moves_the_limit() {
        for (kind, limit) in [
            (OutcomeKind::Success, 11),
            (OutcomeKind::Denied, 11),
            (OutcomeKind::Throttled, 9),
            (OutcomeKind::Failure, 9),
            (OutcomeKind::Neutral, 10),
        ] {
            let admission = limited(10);
            let enter = || admission.enter(Lane::FIRST, Priority::MOST, NOW).unwrap();
            let others: Vec<_> = (0..5).map(|_| enter()).collect();
            enter().finish(kind, Duration::from_millis(5), NOW);
            drop(others);
            let metrics = admission.metrics(NOW);
            assert_eq!((metrics.limit, metrics.in_flight), (Some(limit), Some(0)), "{kind:?}");
        }
    }

    #[test]
    fn nothing_is_refused_without_settings_and_a_dead_service_is_spared() {
        assert!(Admission::new(AdmissionConfig::default(), 1, NOW).is_none());
        let policy = throttle::Policy::of(Formula::FAILSAFE);
        let config = AdmissionConfig { concurrency: None, throttle: Some(policy) };
        let admission = Admission::new(config, 1, NOW).unwrap();
        for _ in 0..100 {
            let admitted = admission.enter(Lane::FIRST, Priority::MOST, NOW);
            if let Ok(admitted) = admitted {
                admitted.finish(OutcomeKind::Failure, Duration::ZERO, NOW);
            }
        }
        let later = Moment::from_millis(200);
        let refused = (0..100)
            .filter(|_| admission.enter(Lane::FIRST, Priority::MOST, later).is_err())
            .count();
        assert!(refused > 50, "{refused} of 100");
    }
}
