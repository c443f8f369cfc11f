//! One attempt: from the taking of its permits to the end of its answer's body.

use std::sync::Arc;
use std::time::Duration;

use authmesh_logic::circuit_breaker::{Permit, Policy};
use authmesh_logic::outcome::{Outcome, OutcomeKind};
use authmesh_logic::{Moment, circuit_breaker::Transition};

use http::HeaderMap;

use crate::admission::Admitted;
use crate::clock::Clock;
use crate::endpoint::EndpointCell;
use crate::judge;
use crate::request_body::Sent;
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
    /// Whether the end of the answer has the word.
    awaits_end: bool,
    /// Whether its caller waits shorter than the service may take.
    pub(crate) is_impatient: bool,
    /// When the request was sent, if it is known.
    sent: Option<Sent>,
    /// The request's place at the service, which goes with the attempt that answers it.
    admitted: Option<Box<Admitted>>,
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
        Self {
            target,
            cell,
            permits: Some((service, endpoint)),
            began,
            head: None,
            awaits_end: false,
            is_impatient: false,
            sent: None,
            admitted: None,
        }
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

    /// Notes when the request is sent: what a caller waited for after that says something.
    pub(crate) fn sending(&mut self, sent: Sent) {
        self.sent = Some(sent);
    }

    /// Takes the request's place with it, to be given back with the verdict.
    pub(crate) fn carry(&mut self, admitted: Option<Admitted>) {
        self.admitted = admitted.map(Box::new);
    }

    /// Notes what the body of the answer says, in place of its head.
    pub(crate) fn revise(&mut self, kind: OutcomeKind) {
        if let Some(head) = &mut self.head {
            head.kind = kind;
        }
    }

    /// Notes an answer that says at its end what it says. Until then it is good, so that a caller
    /// who leaves before the end blames nobody.
    pub(crate) fn answered_so_far(&mut self, now: Moment) {
        self.answered(OutcomeKind::Success, now);
        self.awaits_end = true;
    }

    /// Whether the end of the answer has the word.
    pub(crate) fn awaits_end(&self) -> bool {
        self.awaits_end
    }

    /// Notes what the end of the answer says; an answer that ends without a word is no answer.
    pub(crate) fn ended(&mut self, trailers: Option<&HeaderMap>) {
        if std::mem::take(&mut self.awaits_end) {
            let kind = judge::end(trailers, self.is_impatient);
            self.revise(kind);
            if let Some(trailers) = trailers.filter(|_| kind == OutcomeKind::Throttled) {
                self.target.heed(|name| trailers.get(name).map(|value| value.as_bytes()));
            }
        }
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

    /// Gives the verdict on an answer that did not come in time: the endpoint's fault, unless the
    /// caller's patience was shorter than the service's own time.
    pub(crate) fn time_out(&mut self, is_callers: bool, now: Moment) {
        if is_callers {
            self.abandon(now);
        } else {
            self.fail(now);
        }
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
        self.cell.traffic.record(kind, now);
        let latency = self.latency(kind, now);
        if let Some(admitted) = self.admitted.take() {
            admitted.finish(kind, latency, now);
        }
        let outcome = outcome_of(kind, latency, &policy.breaker);
        let moved = operation.record(&policy.breaker, *lane, service_permit, outcome, now);
        self.target.tell_service_breaker(moved);

        if let Some(outlier) = &policy.outlier
            && self.cell.tally.record(kind, outlier.consecutive).is_some()
        {
            self.target.service.outliers.notify_one();
        }
        let breaker = &policy.endpoint_breaker;
        let outcome = outcome_of(kind, latency, breaker);
        let moved = self.cell.record(breaker, *lane, endpoint_permit, outcome, now);
        self.target.tell_endpoint_breaker(&self.cell, moved);
    }
}

impl Attempt {
    /// How long its answer took. Of one that was given up before that, how long its caller waited
    /// after all was sent: a caller who sends slowly says nothing of the service.
    fn latency(&self, kind: OutcomeKind, now: Moment) -> Duration {
        match (self.head, &self.sent) {
            (Some(head), _) => head.latency,
            (None, Some(sent)) if kind == OutcomeKind::Neutral => sent.waited(self.began, now),
            (None, None) if kind == OutcomeKind::Neutral => Duration::ZERO,
            (None, _) => now.since(self.began),
        }
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
    /// Leaves the quota alone for as long as a throttled answer asks for.
    pub(crate) fn heed<'a>(&self, field: impl Fn(&str) -> Option<&'a [u8]>) {
        let Some(pause) = judge::pause(field) else { return };
        if let Some(lasts) = self.quota.door.close(pause, Clock.now()) {
            let kind = EventKind::QuotaClosed { quota: self.quota.name.to_string(), lasts };
            self.service.events.tell(Clock.time_of_day(), &self.service.name, kind);
        }
    }

    /// Tells of a move of the operation's breaker, if there was one.
    pub(crate) fn tell_service_breaker(&self, moved: Option<Transition>) {
        if let Some(transition) = moved {
            self.operation.counters.moved(transition);
            for transition in transition.steps() {
                let operation = self.operation.name.to_string();
                let kind = EventKind::ServiceBreaker { operation, transition };
                self.service.events.tell(Clock.time_of_day(), &self.service.name, kind);
            }
        }
    }

    /// Tells of a move of an endpoint's breaker, if there was one.
    pub(crate) fn tell_endpoint_breaker(&self, cell: &EndpointCell, moved: Option<Transition>) {
        if let Some(transition) = moved {
            cell.moved(transition);
            for transition in transition.steps() {
                let kind = EventKind::EndpointBreaker { instance: cell.id.clone(), transition };
                self.service.events.tell(Clock.time_of_day(), &self.service.name, kind);
            }
        }
    }
}

fn outcome_of(kind: OutcomeKind, latency: Duration, policy: &Policy) -> Outcome {
    let slow = policy.slow_rate.is_some_and(|trip| latency > trip.slower_than);
    Outcome { kind, slow }
}
