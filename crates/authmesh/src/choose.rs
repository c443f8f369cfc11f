//! Layers 6 to 8: leave from the service breaker, an endpoint from the balancer, leave from that
//! endpoint's breaker.

use std::sync::Arc;
use std::time::Duration;

use authmesh_logic::Moment;
use authmesh_logic::circuit_breaker::{Admission, Permit, Rejected, RejectedReason, State};
use authmesh_logic::retry::OperationClass;

use crate::attempt::Attempt;
use crate::circuit_breaker::TrialResult;
use crate::endpoint::{Endpoint, EndpointCell};
use crate::error::{Error, ErrorKind};
use crate::luck;
use crate::roster::Roster;
use crate::service::Target;
use crate::telemetry::Counted;

/// The endpoints a request has been sent to; the next attempt goes elsewhere if it can.
#[derive(Default)]
pub(crate) struct Tried(Vec<Arc<EndpointCell>>);

impl Tried {
    pub(crate) fn add(&mut self, cell: &Arc<EndpointCell>) {
        self.0.push(Arc::clone(cell));
    }

    fn has(&self, endpoint: &Endpoint) -> bool {
        self.0.iter().any(|cell| Arc::ptr_eq(cell, &endpoint.cell))
    }
}

/// How long to wait for a service without endpoints.
const NO_ENDPOINT_WAIT: Duration = Duration::from_secs(1);

/// How often the balancer is asked again when a breaker closed the door between question and entry.
const MOST_PICKS: usize = 4;

/// Begins an attempt at the endpoint that is best now, or says why there is none.
pub(crate) fn choose(
    target: &Arc<Target>,
    class: OperationClass,
    tried: &Tried,
    now: Moment,
) -> Result<Attempt, Error> {
    if let Some(pause) = target.quota.door.closed_for(now) {
        return Err(Error::new(ErrorKind::Overloaded).after(pause));
    }
    let roster = target.service.roster();
    let terms = &roster.policy.terms;
    if roster.is_stale(terms.max_age, now) {
        return Err(Error::new(ErrorKind::StaleView).after(NO_ENDPOINT_WAIT));
    }
    if roster.endpoints.is_empty() {
        return Err(Error::new(ErrorKind::NoEndpoint).after(NO_ENDPOINT_WAIT));
    }

    let breaker = target.operation.breaker.load();
    let (admitted, moved) =
        luck::with_dice(|dice| breaker.try_acquire(&roster.policy.breaker, target.lane, dice, now));
    target.tell_service_breaker(moved);
    let service_permit = admitted.map_err(|rejected| {
        target.operation.counters.count(target.lane, Counted::Rejected(rejected.reason));
        refuse(&rejected)
    })?;

    match enter(target, &roster, class, tried, now) {
        Ok((cell, endpoint_permit)) => {
            target.operation.counters.count(target.lane, Counted::Pick);
            Ok(Attempt::begin(Arc::clone(target), cell, service_permit, endpoint_permit, now))
        }
        Err(error) => {
            if service_permit.is_trial() {
                let returned = Counted::Trial(TrialResult::Returned);
                target.operation.counters.count(target.lane, returned);
            }
            breaker.cancel(service_permit);
            Err(error)
        }
    }
}

fn enter(
    target: &Target,
    roster: &Roster,
    class: OperationClass,
    tried: &Tried,
    now: Moment,
) -> Result<(Arc<EndpointCell>, Permit), Error> {
    let policy = &roster.policy.endpoint_breaker;
    let mut rejected = None;
    // A breaker that has just refused (a ramp refuses by chance) is not asked again: the idlest
    // endpoint would be chosen every time.
    let mut refused = [usize::MAX; MOST_PICKS];
    for place in 0..MOST_PICKS {
        let Some(index) = pick(roster, class, tried, &refused[..place], now) else { break };
        let cell = &roster.endpoints[index].cell;
        let (admitted, moved) =
            luck::with_dice(|dice| cell.breaker.try_acquire(policy, target.lane, dice, now));
        target.tell_endpoint_breaker(cell, moved);
        match admitted {
            Ok(permit) => return Ok((Arc::clone(cell), permit)),
            Err(refusal) => {
                cell.refused(refusal.reason);
                refused[place] = index;
                rejected = Some(refusal);
            }
        }
    }
    Err(refuse(&rejected.unwrap_or_else(|| soonest(roster, now))))
}

/// The balancer's choice: first among endpoints not tried yet, and trials of half-open breakers
/// go to requests that may be sent twice as long as there is a choice.
fn pick(
    roster: &Roster,
    class: OperationClass,
    tried: &Tried,
    refused: &[usize],
    now: Moment,
) -> Option<usize> {
    let admission = |endpoint: &Endpoint| {
        endpoint.cell.breaker.would_admit(&roster.policy.endpoint_breaker, now)
    };
    let may_try = class == OperationClass::Idempotent;
    let preferred = |endpoint: &Endpoint| match admission(endpoint) {
        Admission::Freely => !tried.has(endpoint),
        Admission::AsTrial => may_try && !tried.has(endpoint),
        Admission::No => false,
    };
    let untried =
        |endpoint: &Endpoint| admission(endpoint) != Admission::No && !tried.has(endpoint);
    let any = |endpoint: &Endpoint| admission(endpoint) != Admission::No;

    luck::with_dice(|dice| {
        let mut among = |lawful: &dyn Fn(&Endpoint) -> bool| {
            let admits =
                |index: usize| !refused.contains(&index) && lawful(&roster.endpoints[index]);
            roster.balancer.pick_where(&roster.endpoints, admits, dice)
        };
        among(&preferred).or_else(|| among(&untried)).or_else(|| among(&any))
    })
}

/// What to say when every endpoint's breaker refuses: the soonest of their waits.
fn soonest(roster: &Roster, now: Moment) -> Rejected {
    let policy = &roster.policy.endpoint_breaker;
    let waits = roster.endpoints.iter().filter_map(|endpoint| {
        match endpoint.cell.breaker.state(policy, now) {
            State::Open { until } => Some(until.since(now)),
            _ => None,
        }
    });
    Rejected { reason: RejectedReason::Open, retry_after: waits.min().unwrap_or(NO_ENDPOINT_WAIT) }
}

fn refuse(rejected: &Rejected) -> Error {
    let kind = match rejected.reason {
        RejectedReason::TrialBusy => ErrorKind::TrialBusy,
        _ => ErrorKind::BreakerOpen,
    };
    Error::new(kind).after(rejected.retry_after)
}
