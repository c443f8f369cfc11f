//! The request lane: the order of its layers, each with the reason for its place.
//!
//! ```text
//! 1 telemetry         outermost: refusals are seen too
//! 2 deadline          every wait below it counts, whoever causes it
//! 3 admission         above retry: a request has one place, however many attempts it takes
//! 4 retry             above everything that an attempt takes, so that each attempt takes it anew
//! 5 service breaker   above the choice: a service that fails as a whole is not asked at all
//! 6 load balancer     below retry, so that the next attempt goes elsewhere
//! 7 endpoint breaker  below the choice, above the attempt's time-out: a time-out counts
//! 8 transport         one connection of the chosen endpoint; it never sends anything twice
//! ```

use std::sync::Arc;
use std::time::Duration;

use authmesh_logic::config::Classifier;
use authmesh_logic::outcome::OutcomeKind;
use authmesh_logic::retry::{self, Ended, OperationClass};
use authmesh_logic::{Moment, classify};
use http::{Request, Response, header};

use crate::admission::{Admitted, OVERLOAD_WAIT};
use crate::attempt::Attempt;
use crate::choose::{Tried, choose};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, REASON};
use crate::failed::Failed;
use crate::judge::{self, FIRST_REFUSAL, Said};
use crate::message::{Answer, Outbound};
use crate::raw_reply::RawReply;
use crate::raw_request::RawRequest;
use crate::request_body::RequestBody;
use crate::response_body::ResponseBody;
use crate::roster::Terms;
use crate::service::Target;
use crate::telemetry::Counted;
use crate::transport::{Passage, Unanswered};

/// The caller's own deadline: the mesh waits no longer, whatever the service's time-out is.
///
/// Put into a request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline(pub Duration);

/// Sends a request through every layer and returns the answer, its attempt inside its body.
///
/// The request is borrowed, and what it was is not left in its place.
pub(crate) async fn send(
    target: &Arc<Target>,
    terms: Terms,
    request: &mut Request<RequestBody>,
) -> Result<Response<ResponseBody>, Error> {
    let limit = request.extensions().get::<Deadline>().map_or(Duration::MAX, |limit| limit.0);
    let mut tries = Tries::new(target, terms, request.method().as_str(), limit, Clock.now());
    tries.is_impatient = is_impatient(target, request, &tries.deadline, limit);
    let result = match tries.make_repeatable(request).await {
        Ok(()) => tries.run(request).await,
        Err(error) => Err(error),
    };
    tries.tell(result.as_ref().err());
    result.map(|(answer, attempt)| ResponseBody::attach(answer, attempt))
}

/// The same for a request that is bytes. The service speaks HTTP/1.1 and answers nothing at the end of
/// its answers.
pub(crate) async fn send_raw(
    target: &Arc<Target>,
    terms: Terms,
    request: &RawRequest,
) -> Result<RawReply, Error> {
    let mut tries = Tries::new(target, terms, request.method(), Duration::MAX, Clock.now());
    let mut outbound = request;
    let result = tries.run(&mut outbound).await;
    tries.tell(result.as_ref().err());
    result.map(|(answer, attempt)| RawReply::attach(answer, attempt))
}

/// Layer 3: a place for the request, if its operation hands out any.
fn admit(target: &Target, now: Moment) -> Result<Option<Admitted>, Error> {
    let admission = target.operation.admission.load();
    let Some(admission) = &*admission else { return Ok(None) };
    match admission.enter(target.lane, target.treatment.priority, now) {
        Ok(admitted) => Ok(Some(admitted)),
        Err(_) => Err(Error::new(ErrorKind::Overloaded).after(OVERLOAD_WAIT)),
    }
}

/// Whether the caller of a gRPC request waits shorter than the service may take.
fn is_impatient(
    target: &Target,
    request: &Request<RequestBody>,
    deadline: &Deadlines,
    callers: Duration,
) -> bool {
    if target.treatment.classifier != Classifier::Grpc {
        return false;
    }
    let field = request.headers().get(classify::GRPC_TIMEOUT);
    let says = field.and_then(|value| classify::grpc_timeout(value.as_bytes()));
    callers.min(says.unwrap_or(Duration::MAX)) < deadline.own
}

struct Deadlines {
    end: Moment,
    /// How long the service may take.
    own: Duration,
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
    /// The request's place, until an attempt answers.
    admitted: Option<Admitted>,
    is_impatient: bool,
}

impl<'a> Tries<'a> {
    fn new(
        target: &'a Arc<Target>,
        terms: Terms,
        method: &str,
        callers: Duration,
        began: Moment,
    ) -> Self {
        let own = target.treatment.timeout.unwrap_or(terms.timeout);
        let deadline = Deadlines { end: began + own.min(callers), own, is_callers: callers < own };
        let class = target.class_of(method);
        let policy = target.treatment.retry.unwrap_or(terms.retry).for_method(method);
        Self {
            target,
            class,
            terms,
            policy,
            began,
            deadline,
            tried: Tried::default(),
            made: 0,
            now: began,
            admitted: None,
            is_impatient: false,
        }
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

    /// Makes attempts until one is answered by an answer to pass on.
    async fn run<R: Outbound>(&mut self, request: &mut R) -> Result<(R::Answer, Attempt), Error> {
        self.admitted = admit(self.target, self.now)?;
        self.target.service.budget.deposit(self.target.lane);
        let mut attempt = self.choose()?;
        loop {
            self.made += 1;
            let spare = self.spare(request);
            let failed = match self.attempt(&mut attempt, request).await {
                Ok(answer) => {
                    if spare.is_none() || !invites_retry(&answer) {
                        return Ok(self.pass_on(answer, attempt));
                    }
                    self.tried.add(attempt.cell());
                    let (Some(again), Some(next)) = (spare, self.next(Ended::AnswerInvitesRetry))
                    else {
                        return Ok(self.pass_on(answer, attempt));
                    };
                    // The next attempt is certain, so this answer may be let go.
                    attempt.succeed(self.now);
                    drop(answer);
                    request.renew(again);
                    attempt = next;
                    continue;
                }
                Err(failed) => failed,
            };
            // A request that was not sent is back in its place.
            if failed.ended != Ended::NotSent {
                let Some(again) = spare else { return Err(failed.error) };
                request.renew(again);
            }
            self.tried.add(attempt.cell());
            drop(attempt);
            match self.next_or_why(failed.ended, failed.error) {
                Ok(next) => attempt = next,
                Err(error) => return Err(error),
            }
        }
    }

    /// Passes an answer on: the request's place goes with it.
    fn pass_on<A>(&mut self, answer: A, mut attempt: Attempt) -> (A, Attempt) {
        attempt.carry(self.admitted.take());
        (answer, attempt)
    }

    /// Tells how the request ended: with an answer, or with this error.
    fn tell(&mut self, error: Option<&Error>) {
        let Target { operation, lane, .. } = &**self.target;
        match error {
            None => operation.counters.answered(*lane, self.now.since(self.began)),
            Some(error) => {
                self.give_place_back(error);
                operation.counters.count(*lane, Counted::Failed(error.kind()));
            }
        }
    }

    /// Gives the place back of a request that got no answer, and says what that says.
    fn give_place_back(&mut self, error: &Error) {
        let Some(admitted) = self.admitted.take() else { return };
        let kind = match error.kind() {
            ErrorKind::Deadline if self.deadline.is_callers => OutcomeKind::Neutral,
            ErrorKind::Deadline | ErrorKind::UpstreamReset | ErrorKind::RetryBudget => {
                OutcomeKind::Failure
            }
            _ => OutcomeKind::Neutral,
        };
        admitted.finish(kind, self.now.since(self.began), self.now);
    }

    fn choose(&self) -> Result<Attempt, Error> {
        choose(self.target, self.class, &self.tried, self.now)
    }

    /// One attempt, to the head of its answer.
    async fn attempt<R: Outbound>(
        &mut self,
        attempt: &mut Attempt,
        request: &mut R,
    ) -> Result<R::Answer, Failed> {
        attempt.is_impatient = self.is_impatient;
        if self.terms.watches_slowness {
            attempt.sending(request.note_end());
        }
        let left = self.deadline.end.since(attempt.began());
        let (limit, is_callers) = match self.policy.per_try {
            Some(own) if own < left => (own, false),
            _ => (left, self.deadline.is_callers),
        };
        let (connections, lane) = (self.terms.connections, self.target.lane);
        let (began, end) = (attempt.began(), attempt.began() + limit);
        let passage = Passage { connections, lane, now: began, end };
        let sent = request.send(&attempt.cell().transport, passage).await;
        self.now = Clock.now();
        let read = match sent {
            Ok(mut answer) => self.read(attempt, &mut answer, end).await.map(|()| answer),
            Err(unanswered) => Err(unanswered),
        };
        read.map_err(|unanswered| Failed::judge(attempt, unanswered, is_callers, self.now))
    }

    /// Reads what an answer says, its body too where the word stands there.
    async fn read<A: Answer + Send>(
        &mut self,
        attempt: &mut Attempt,
        answer: &mut A,
        end: Moment,
    ) -> Result<(), Unanswered> {
        match judge::head(self.target.treatment.classifier, answer, self.is_impatient) {
            Said::Now(kind) => {
                attempt.answered(kind, self.now);
                if kind == OutcomeKind::Throttled {
                    self.target.heed(|name| answer.field(name));
                }
            }
            Said::AtEnd => attempt.answered_so_far(self.now),
            Said::InBody => {
                attempt.answered(OutcomeKind::Denied, self.now);
                // On the heap, as few answers are read and every request would be made larger.
                let reading = Box::pin(judge::body(answer));
                let read = tokio::time::timeout(end.since(self.now), reading).await;
                self.now = Clock.now();
                let read = read.map_err(|_| Unanswered::Late)?;
                attempt.revise(read.map_err(Unanswered::Lost)?);
            }
        }
        Ok(())
    }

    /// A second copy of a request that may be needed.
    fn spare<R: Outbound>(&self, request: &R) -> Option<R::Spare> {
        (self.made < self.policy.attempts).then(|| request.spare()).flatten()
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

/// Whether another endpoint may answer better. A refusal by another hop of the mesh says so itself.
fn invites_retry(answer: &impl Answer) -> bool {
    if answer.status() < FIRST_REFUSAL {
        return false;
    }
    match answer.field(REASON.as_str()) {
        Some(reason) => classify::reason_invites_retry(str::from_utf8(reason).unwrap_or_default()),
        None => {
            let has_retry_after = answer.field(header::RETRY_AFTER.as_str()).is_some();
            classify::answer_invites_retry(answer.status(), has_retry_after)
        }
    }
}
