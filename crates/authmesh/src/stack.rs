//! The request lane: the order of its layers, each with the reason for its place.
//!
//! ```text
//! 1 telemetry         outermost: refusals are seen too
//! 2 deadline          every wait below it counts, whoever causes it
//! 3 retry             above everything that an attempt takes, so that each attempt takes it anew
//! 4 service breaker   above the choice: a service that fails as a whole is not asked at all
//! 5 load balancer     below retry, so that the next attempt goes elsewhere
//! 6 endpoint breaker  below the choice, above the attempt's time-out: a time-out counts
//! 7 transport         one connection of the chosen endpoint; it never sends anything twice
//! ```

use std::sync::Arc;
use std::time::Duration;

use authmesh_logic::outcome::OutcomeKind;
use authmesh_logic::retry::{self, Ended, OperationClass};
use authmesh_logic::{Moment, classify};
use http::{Request, Response, header};
use hyper::body::Incoming;

use crate::attempt::Attempt;
use crate::choose::{Tried, choose};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, REASON};
use crate::request_body::{BodyFault, RequestBody};
use crate::response_body::ResponseBody;
use crate::roster::Terms;
use crate::service::Target;
use crate::spare::Spare;
use crate::telemetry::Counted;
use crate::transport::{Lent, Sent};

/// The caller's own deadline: the mesh waits no longer, whatever the service's time-out is.
///
/// Put into a request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline(pub Duration);

/// The lowest status of a refusal. What is below says all by its status, and its fields are not
/// looked through.
const FIRST_REFUSAL: u16 = 400;

/// Sends a request through every layer and returns the answer, its attempt inside its body.
///
/// The request is borrowed, and what it was is not left in its place.
pub(crate) async fn send(
    target: &Arc<Target>,
    terms: Terms,
    request: &mut Request<RequestBody>,
) -> Result<Response<ResponseBody>, Error> {
    let mut tries = Tries::new(target, terms, request, Clock.now());
    let result = match tries.make_repeatable(request).await {
        Ok(()) => tries.run(request).await,
        Err(error) => Err(error),
    };
    let Target { operation, lane, .. } = &**target;
    match &result {
        Ok(_) => operation.counters.answered(*lane, tries.now.since(tries.began)),
        Err(error) => operation.counters.count(*lane, Counted::Failed(error.kind())),
    }
    result
}

struct Deadlines {
    end: Moment,
    /// Whether the caller's patience ends before the service's time does: then running out of it
    /// says nothing of the service.
    is_callers: bool,
}

/// The attempts of one request.
struct Tries<'a> {
    target: &'a Arc<Target>,
    class: OperationClass,
    terms: Terms,
    policy: retry::Policy,
    began: Moment,
    deadline: Deadlines,
    tried: Tried,
    made: u32,
    /// The last reading of the clock: one for each phase.
    now: Moment,
}

/// How one attempt ended, when it did not end in an answer to pass on.
struct Failed {
    ended: Ended,
    error: Error,
}

impl<'a> Tries<'a> {
    fn new(
        target: &'a Arc<Target>,
        terms: Terms,
        request: &Request<RequestBody>,
        began: Moment,
    ) -> Self {
        let own = target.treatment.timeout.unwrap_or(terms.timeout);
        let callers = request.extensions().get::<Deadline>().map_or(Duration::MAX, |limit| limit.0);
        let deadline = Deadlines { end: began + own.min(callers), is_callers: callers < own };
        let method = request.method().as_str();
        let class = target.class_of(method);
        let policy = target.treatment.retry.unwrap_or(terms.retry).for_method(method);
        let tried = Tried::default();
        Self { target, class, terms, policy, began, deadline, tried, made: 0, now: began }
    }

    /// Reads the body of a request that may be sent twice, if it is small enough.
    async fn make_repeatable(&mut self, request: &mut Request<RequestBody>) -> Result<(), Error> {
        if self.class != OperationClass::Idempotent || !request.body().wants_reading() {
            return Ok(());
        }
        let limit = self.deadline.end.since(self.began);
        // On the heap, as few requests have a body and every one would be made larger.
        let reading = Box::pin(request.body_mut().read_whole());
        match tokio::time::timeout(limit, reading).await {
            Ok(Ok(())) => {
                self.now = Clock.now();
                Ok(())
            }
            Ok(Err(fault)) => Err(Error::new(ErrorKind::RequestBody).because(fault)),
            Err(_) => Err(Error::new(ErrorKind::Deadline)),
        }
    }

    async fn run(
        &mut self,
        request: &mut Request<RequestBody>,
    ) -> Result<Response<ResponseBody>, Error> {
        self.target.service.budget.deposit(self.target.lane);
        let mut attempt = self.choose()?;
        loop {
            self.made += 1;
            let spare = self.spare(request);
            let failed = match self.attempt(&mut attempt, request).await {
                Ok((response, lent)) => {
                    if spare.is_none() || !invites_retry(&response) {
                        return Ok(ResponseBody::attach(response, attempt, lent));
                    }
                    self.tried.add(attempt.cell());
                    let (Some(again), Some(next)) = (spare, self.next(Ended::AnswerInvitesRetry))
                    else {
                        return Ok(ResponseBody::attach(response, attempt, lent));
                    };
                    // The next attempt is certain, so this answer may be let go.
                    attempt.succeed(self.now);
                    drop((response, lent));
                    (*request, attempt) = (again.into_request(), next);
                    continue;
                }
                Err(failed) => failed,
            };
            // A request that was not sent is back in its place.
            if failed.ended != Ended::NotSent {
                let Some(again) = spare else { return Err(failed.error) };
                *request = again.into_request();
            }
            self.tried.add(attempt.cell());
            drop(attempt);
            match self.next_or_why(failed.ended, failed.error) {
                Ok(next) => attempt = next,
                Err(error) => return Err(error),
            }
        }
    }

    fn choose(&self) -> Result<Attempt, Error> {
        choose(self.target, self.class, &self.tried, self.now)
    }

    /// One attempt, to the head of its answer.
    async fn attempt(
        &mut self,
        attempt: &mut Attempt,
        request: &mut Request<RequestBody>,
    ) -> Result<(Response<Incoming>, Lent), Failed> {
        let left = self.deadline.end.since(attempt.began());
        let (limit, is_callers) = match self.policy.per_try {
            Some(own) if own < left => (own, false),
            _ => (left, self.deadline.is_callers),
        };
        let transport = &attempt.cell().transport;
        let (connections, lane) = (self.terms.connections, self.target.lane);
        let end = attempt.began() + limit;
        let sent = transport.send(&connections, lane, attempt.began(), end, request).await;
        let now = Clock.now();
        self.now = now;
        let (ended, kind, cause) = match sent {
            Sent::Answered(response, lent) => {
                attempt.answered(classify(&response), now);
                return Ok((response, lent));
            }
            Sent::Returned(cause) => {
                attempt.fail(now);
                (Ended::NotSent, ErrorKind::UpstreamReset, Some(cause))
            }
            Sent::Unprocessed(cause) => {
                attempt.fail(now);
                (Ended::Unprocessed, ErrorKind::UpstreamReset, Some(cause))
            }
            Sent::Lost(cause) if is_callers_fault(&*cause) => {
                attempt.abandon(now);
                (Ended::FailedAfterSend, ErrorKind::RequestBody, Some(cause))
            }
            Sent::Lost(cause) => {
                attempt.fail(now);
                (Ended::FailedAfterSend, ErrorKind::UpstreamReset, Some(cause))
            }
            Sent::Late => {
                if is_callers {
                    attempt.abandon(now);
                } else {
                    attempt.fail(now);
                }
                (Ended::FailedAfterSend, ErrorKind::Deadline, None)
            }
        };
        let error = Error::new(kind).at(attempt.cell().transport.address());
        let error = if let Some(cause) = cause { error.because(cause) } else { error };
        Err(Failed { ended, error })
    }

    /// A second copy of a request that may be needed.
    fn spare(&self, request: &Request<RequestBody>) -> Option<Spare> {
        (self.made < self.policy.attempts).then(|| Spare::of(request)).flatten()
    }

    /// The next attempt, if the rule, the budget, the clock and an endpoint allow one.
    fn next(&self, ended: Ended) -> Option<Attempt> {
        let attempt = self.is_allowed(ended).then(|| self.choose().ok())??;
        self.is_affordable().then_some(attempt)
    }

    fn next_or_why(&self, ended: Ended, failed: Error) -> Result<Attempt, Error> {
        if !self.is_allowed(ended) {
            return Err(failed);
        }
        // The failure tells more than the refusal that followed it.
        let Ok(attempt) = self.choose() else { return Err(failed) };
        if self.is_affordable() {
            return Ok(attempt);
        }
        let budget = Error::new(ErrorKind::RetryBudget).after(Duration::from_secs(1));
        Err(match failed.endpoint().cloned() {
            Some(address) => budget.at(&address).because(failed),
            None => budget.because(failed),
        })
    }

    fn is_allowed(&self, ended: Ended) -> bool {
        let is_time_left = self.now < self.deadline.end;
        is_time_left && retry::allows(self.class, &self.policy, self.made, ended)
    }

    fn is_affordable(&self) -> bool {
        let affordable = self.target.service.budget.try_withdraw(self.now);
        if affordable {
            self.target.operation.counters.count(self.target.lane, Counted::Retry);
        }
        affordable
    }
}

/// What an answer says. A refusal by another hop of the mesh says what that hop says.
fn classify(response: &Response<Incoming>) -> OutcomeKind {
    let (headers, status) = (response.headers(), response.status().as_u16());
    if status < FIRST_REFUSAL {
        return classify::http(status, false);
    }
    if let Some(reason) = headers.get(REASON) {
        return classify::authmesh_reason(reason.to_str().unwrap_or_default());
    }
    classify::http(status, headers.contains_key(header::RETRY_AFTER))
}

/// Whether another endpoint may answer better. A refusal by another hop of the mesh says so itself.
fn invites_retry(response: &Response<Incoming>) -> bool {
    let headers = response.headers();
    if response.status().as_u16() < FIRST_REFUSAL {
        return false;
    }
    match headers.get(REASON) {
        Some(reason) => classify::reason_invites_retry(reason.to_str().unwrap_or_default()),
        None => {
            let has_retry_after = headers.contains_key(header::RETRY_AFTER);
            classify::answer_invites_retry(response.status().as_u16(), has_retry_after)
        }
    }
}

/// Whether an exchange broke because the caller's own body did.
fn is_callers_fault(cause: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(cause);
    while let Some(error) = cause {
        if error.is::<BodyFault>() {
            return true;
        }
        if let Some(error) = error.downcast_ref::<hyper::Error>()
            && error.is_user()
        {
            return true;
        }
        cause = error.source();
    }
    false
}
