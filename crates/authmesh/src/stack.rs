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
use crate::telemetry::Counted;
use crate::transport::{Lent, Sent};

/// The caller's own deadline: the mesh waits no longer, whatever the service's time-out is.
///
/// Put into a request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline(pub Duration);

/// Sends a request through every layer and returns the answer, its attempt inside its body.
pub(crate) async fn send(
    target: &Arc<Target>,
    request: Request<RequestBody>,
) -> Result<Response<ResponseBody>, Error> {
    let began = Clock.now();
    let result = within_deadline(target, began, request).await;
    let Target { operation, lane, .. } = &**target;
    match &result {
        Ok(_) => operation.counters.answered(*lane, Clock.now().since(began)),
        Err(error) => operation.counters.count(*lane, Counted::Failed(error.kind())),
    }
    result
}

async fn within_deadline(
    target: &Arc<Target>,
    began: Moment,
    request: Request<RequestBody>,
) -> Result<Response<ResponseBody>, Error> {
    let terms = target.service.roster().policy.terms;
    let own = target.treatment.timeout.unwrap_or(terms.timeout);
    let callers = request.extensions().get::<Deadline>().map_or(Duration::MAX, |limit| limit.0);
    let deadline = Deadlines { end: began + own.min(callers), is_callers: callers < own };
    let class = target.class_of(request.method().as_str());
    let policy = target.treatment.retry.unwrap_or(terms.retry);
    let policy = policy.for_method(request.method().as_str());

    let request = if class == OperationClass::Idempotent {
        let (head, body) = request.into_parts();
        let reading = tokio::time::timeout(own.min(callers), body.make_repeatable());
        let body = match reading.await {
            Ok(Ok(body)) => body,
            Ok(Err(fault)) => return Err(Error::new(ErrorKind::RequestBody).because(fault)),
            Err(_) => return Err(Error::new(ErrorKind::Deadline)),
        };
        Request::from_parts(head, body)
    } else {
        request
    };
    Tries { target, class, terms, policy, deadline, tried: Tried::default(), made: 0 }
        .run(request)
        .await
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
    deadline: Deadlines,
    tried: Tried,
    made: u32,
}

/// How one attempt ended, when it did not end in an answer to pass on.
struct Failed {
    ended: Ended,
    error: Error,
    /// The request itself, if it came back.
    returned: Option<Request<RequestBody>>,
}

impl Tries<'_> {
    async fn run(
        mut self,
        mut request: Request<RequestBody>,
    ) -> Result<Response<ResponseBody>, Error> {
        self.target.service.budget.deposit(self.target.lane);
        let mut attempt = self.choose()?;
        loop {
            self.made += 1;
            let spare = self.spare(&request);
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
                    attempt.succeed(Clock.now());
                    drop((response, lent));
                    (request, attempt) = (again, next);
                    continue;
                }
                Err(failed) => failed,
            };
            let Some(again) = failed.returned.or(spare) else { return Err(failed.error) };
            self.tried.add(attempt.cell());
            drop(attempt);
            match self.next_or_why(failed.ended, failed.error) {
                Ok(next) => (request, attempt) = (again, next),
                Err(error) => return Err(error),
            }
        }
    }

    fn choose(&self) -> Result<Attempt, Error> {
        choose(self.target, self.class, &self.tried, Clock.now())
    }

    /// One attempt, to the head of its answer.
    async fn attempt(
        &self,
        attempt: &mut Attempt,
        request: Request<RequestBody>,
    ) -> Result<(Response<Incoming>, Lent), Failed> {
        let left = self.deadline.end.since(attempt.began());
        let (limit, is_callers) = match self.policy.per_try {
            Some(own) if own < left => (own, false),
            _ => (left, self.deadline.is_callers),
        };
        let cell = Arc::clone(attempt.cell());
        let connections = self.terms.connections;
        let sending = cell.transport.send(&connections, self.target.lane, attempt.began(), request);
        let sent = tokio::time::timeout(limit, sending).await;
        let now = Clock.now();
        let address = cell.transport.address();
        let lost = |ended, kind, returned, cause| {
            let error = Error::new(kind).at(address);
            let error = if let Some(cause) = cause { error.because(cause) } else { error };
            Failed { ended, error, returned }
        };
        match sent {
            Ok(Sent::Answered(response, lent)) => {
                attempt.answered(self.classify(&response), now);
                Ok((response, lent))
            }
            Ok(Sent::Returned(request, cause)) => {
                attempt.fail(now);
                Err(lost(Ended::NotSent, ErrorKind::UpstreamReset, Some(request), Some(cause)))
            }
            Ok(Sent::Unprocessed(cause)) => {
                attempt.fail(now);
                Err(lost(Ended::Unprocessed, ErrorKind::UpstreamReset, None, Some(cause)))
            }
            Ok(Sent::Lost(cause)) if is_callers_fault(&*cause) => {
                attempt.abandon(now);
                Err(lost(Ended::FailedAfterSend, ErrorKind::RequestBody, None, Some(cause)))
            }
            Ok(Sent::Lost(cause)) => {
                attempt.fail(now);
                Err(lost(Ended::FailedAfterSend, ErrorKind::UpstreamReset, None, Some(cause)))
            }
            Err(_) => {
                if is_callers {
                    attempt.abandon(now);
                } else {
                    attempt.fail(now);
                }
                Err(lost(Ended::FailedAfterSend, ErrorKind::Deadline, None, None))
            }
        }
    }

    /// What an answer says. A refusal by another hop of the mesh says what that hop says.
    fn classify(&self, response: &Response<Incoming>) -> OutcomeKind {
        let headers = response.headers();
        if let Some(reason) = headers.get(REASON) {
            return classify::authmesh_reason(reason.to_str().unwrap_or_default());
        }
        let has_retry_after = headers.contains_key(header::RETRY_AFTER);
        classify::http(response.status().as_u16(), has_retry_after)
    }

    /// A second copy of a request that may be needed.
    fn spare(&self, request: &Request<RequestBody>) -> Option<Request<RequestBody>> {
        if self.made >= self.policy.attempts {
            return None;
        }
        let body = request.body().copy()?;
        let mut copy = Request::new(body);
        *copy.method_mut() = request.method().clone();
        *copy.uri_mut() = request.uri().clone();
        *copy.version_mut() = request.version();
        *copy.headers_mut() = request.headers().clone();
        Some(copy)
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
        let is_time_left = Clock.now() < self.deadline.end;
        is_time_left && retry::allows(self.class, &self.policy, self.made, ended)
    }

    fn is_affordable(&self) -> bool {
        let affordable = self.target.service.budget.try_withdraw(Clock.now());
        if affordable {
            self.target.operation.counters.count(self.target.lane, Counted::Retry);
        }
        affordable
    }
}

/// Whether another endpoint may answer better. A refusal by another hop of the mesh says so itself.
fn invites_retry(response: &Response<Incoming>) -> bool {
    let headers = response.headers();
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
