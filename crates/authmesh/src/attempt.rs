//! One attempt: from the taking of its permits to the end of its answer's body.

use std::sync::Arc;
use std::time::Duration;

use authmesh_logic::circuit_breaker::{Permit, Policy};
use authmesh_logic::outcome::{Outcome, OutcomeKind};
use authmesh_logic::{Moment, circuit_breaker::Transition};

use crate::clock::Clock;
use crate::endpoint::EndpointCell;
use crate::roster::ServicePolicy;
use crate::service::Target;
use crate::telemetry::{Counted, EventKind};
use crate::transport::Lent;

/// A place in flight at an endpoint, and the permits that go with it.
///
/// Dropped it gives everything back; what it then says of the endpoint is what the head of the
/// answer said if that was bad, and nothing otherwise.
pub(crate) struct Attempt {
    target: Arc<Target>,
    cell: Arc<EndpointCell>,
    /// The service breaker's, then the endpoint breaker's; `None` once a verdict was given.
    permits: Option<(Permit, Permit)>,
    began: Moment,
    head: Option<Head>,
}

/// What the head of the answer said.
#[derive(Clone, Copy)]
struct Head {
    kind: OutcomeKind,
    latency: Duration,
}

impl Attempt {
    /// Begins an attempt whose permits were granted.
    pub(crate) fn begin(
        target: Arc<Target>,
        cell: Arc<EndpointCell>,
        service: Permit,
        endpoint: Permit,
        began: Moment,
    ) -> Self {
        cell.enter();
        Self { target, cell, permits: Some((service, endpoint)), began, head: None }
    }

    pub(crate) fn cell(&self) -> &Arc<EndpointCell> {
        &self.cell
    }

    pub(crate) fn began(&self) -> Moment {
        self.began
    }

    /// Whether no verdict has been given yet.
    pub(crate) fn is_undecided(&self) -> bool {
        self.permits.is_some()
    }

    /// Notes what the head of the answer says; the verdict waits for the body.
    pub(crate) fn answered(&mut self, kind: OutcomeKind, now: Moment) {
        self.head = Some(Head { kind, latency: now.since(self.began) });
    }

    /// Gives the verdict the head of the answer promised: its body has ended, or is a stream that
    /// may go on for hours. Only the place in flight is kept until the drop.
    pub(crate) fn succeed(&mut self, now: Moment) {
        self.give_verdict(self.promised(), now);
    }

    /// The same, and the connection goes back to its endpoint: the answer was read to its end.
    pub(crate) fn end(mut self, lent: Lent, now: Moment) {
        let roster = self.target.service.roster();
        self.give_verdict_by(&roster.policy, self.promised(), now);
        let connections = &roster.policy.terms.connections;
        self.cell.transport.give_back(connections, self.target.lane, now, lent);
    }

    /// Gives the verdict that the endpoint failed.
    pub(crate) fn fail(&mut self, now: Moment) {
        self.give_verdict(OutcomeKind::Failure, now);
    }

    /// Gives back the permits without a verdict: the fault was not the endpoint's.
    pub(crate) fn abandon(&mut self, now: Moment) {
        self.give_verdict(OutcomeKind::Neutral, now);
    }

    fn promised(&self) -> OutcomeKind {
        self.head.map_or(OutcomeKind::Neutral, |head| head.kind)
    }

    fn give_verdict(&mut self, kind: OutcomeKind, now: Moment) {
        if self.is_undecided() {
            let roster = self.target.service.roster();
            self.give_verdict_by(&roster.policy, kind, now);
        }
    }

    fn give_verdict_by(&mut self, policy: &ServicePolicy, kind: OutcomeKind, now: Moment) {
        let Some((service_permit, endpoint_permit)) = self.permits.take() else { return };
        let Target { operation, lane, .. } = &*self.target;
        operation.counters.count(*lane, Counted::Attempt(kind));
        self.cell.counters.result(kind);
        self.cell.traffic.record(kind, now);
        let latency = self.head.map_or_else(|| now.since(self.began), |head| head.latency);
        let outcome = judge(kind, latency, &policy.breaker);
        let moved = operation.breaker.record(&policy.breaker, *lane, service_permit, outcome, now);
        self.target.tell_service_breaker(moved);

        let breaker = &policy.endpoint_breaker;
        let outcome = judge(kind, latency, breaker);
        let moved = self.cell.breaker.record(breaker, *lane, endpoint_permit, outcome, now);
        self.target.tell_endpoint_breaker(&self.cell, moved);
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if self.permits.is_some() {
            let kind = match self.head {
                Some(Head { kind: OutcomeKind::Failure, .. }) => OutcomeKind::Failure,
                _ => OutcomeKind::Neutral,
            };
            self.give_verdict(kind, Clock.now());
        }
        self.cell.leave();
    }
}

impl Target {
    /// Tells of a move of the operation's breaker, if there was one.
    pub(crate) fn tell_service_breaker(&self, moved: Option<Transition>) {
        if let Some(transition) = moved {
            self.operation.counters.count(self.lane, Counted::Transition);
            let operation = self.operation.name.to_string();
            let kind = EventKind::ServiceBreaker { operation, transition };
            self.service.events.tell(Clock.time_of_day(), &self.service.name, kind);
        }
    }

    /// Tells of a move of an endpoint's breaker, if there was one.
    pub(crate) fn tell_endpoint_breaker(&self, cell: &EndpointCell, moved: Option<Transition>) {
        if let Some(transition) = moved {
            cell.counters.moved();
            let kind = EventKind::EndpointBreaker { instance: cell.id.clone(), transition };
            self.service.events.tell(Clock.time_of_day(), &self.service.name, kind);
        }
    }
}

fn judge(kind: OutcomeKind, latency: Duration, policy: &Policy) -> Outcome {
    let slow = policy.slow_rate.is_some_and(|trip| latency > trip.slower_than);
    Outcome { kind, slow }
}
