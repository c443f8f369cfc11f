//! Asks the access rules whether a request may pass, and makes the answer of what may not.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use authmesh::config::MeshConfig;
use authmesh::jwt::{Believed, KeyWait, TokenFault, TokenVerifier, Unverified, bearer};
use authmesh_logic::authorization::{
    AccessRules, Answer, Claims, Decision, Inquiry, Mode, RequestView,
};
use authmesh_logic::hygiene;
use authmesh_logic::request_head::{Fields, RequestHead};
use authmesh_logic::routing::host_of;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use crate::refusal::Refusal;
use crate::refusals::Refusals;

/// Says upstream whom a believed token is about.
pub(crate) const SUBJECT: HeaderName = HeaderName::from_static("x-authmesh-subject");

/// The challenge to a caller that brought no token (RFC 6750 §3: without an error).
const TOKEN_WANTED: &str = r#"Bearer realm="authmesh""#;

/// The challenge to a caller whose token is not believed. Why is nobody's business but ours.
const TOKEN_INVALID: &str = r#"Bearer realm="authmesh", error="invalid_token""#;

/// After how long keys that cannot be had may be there again.
const KEYS_RETRY_AFTER: Duration = Duration::from_secs(1);

/// The access rules in force.
pub(crate) struct Access {
    rules: AccessRules,
    tokens: Arc<TokenVerifier>,
    refusals: Arc<Refusals>,
}

/// Who calls, as far as it is proved.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Caller<'a> {
    /// The SPIFFE ID that the connection proved.
    pub(crate) identity: Option<&'a str>,
    /// The address at the other end; `None` on a Unix socket.
    pub(crate) peer: Option<IpAddr>,
    /// The address of the client, as far as trusted proxies vouch for it.
    pub(crate) client: Option<IpAddr>,
    /// The port the connection came in on; `None` on a Unix socket.
    pub(crate) port: Option<u16>,
}

/// Who calls, kept while a request waits or its connection goes on.
pub(crate) struct KeptCaller {
    identity: Option<Box<str>>,
    peer: Option<IpAddr>,
    client: Option<IpAddr>,
    port: Option<u16>,
}

/// A request that passes, with the token that the rules looked at.
#[must_use]
pub(crate) struct Admitted(Option<Believed>);

/// Why a request does not pass, or not yet.
pub(crate) enum Stop {
    /// It may not.
    Refused(Refusal),
    /// The key of its token is on its way: to be asked again when the wait has ended.
    Awaiting(KeyWait),
}

impl Access {
    /// The rules of this configuration and whose tokens they believe; what is refused is counted in
    /// `refusals`.
    pub(crate) fn new(
        config: &MeshConfig,
        refusals: &Arc<Refusals>,
        tokens: Arc<TokenVerifier>,
    ) -> Self {
        refusals.keep(config.services.iter().map(|service| service.name.as_str()));
        Self { rules: config.security.access_rules(), tokens, refusals: Arc::clone(refusals) }
    }

    /// Lets a request pass, or says how it is refused. `service` is empty where no route takes it.
    /// The request is the one that would be sent: its path is in normal form, and what does not
    /// travel is taken off it, so that a rule sees what the service would see.
    pub(crate) fn admit(
        &self,
        caller: Caller<'_>,
        service: &str,
        head: &RequestHead<'_>,
    ) -> Result<Admitted, Stop> {
        self.judge(caller, service, head, &|token| self.tokens.verify(token))
    }

    /// The same for a request that has waited for keys: it does not wait again.
    pub(crate) fn admit_finally(
        &self,
        caller: Caller<'_>,
        service: &str,
        head: &RequestHead<'_>,
    ) -> Result<Admitted, Refusal> {
        let judged = self.judge(caller, service, head, &|token| self.tokens.verify_finally(token));
        judged.map_err(|stop| match stop {
            Stop::Refused(refusal) => refusal,
            Stop::Awaiting(_) => self.refuse(service, Answer::AuthenticationUnavailable),
        })
    }

    /// Lets a request pass if no rule has anything to tell of it, nor of its token. Tells nobody of one
    /// that does not pass: that is left to [`admit`](Self::admit).
    pub(crate) fn pass(
        &self,
        caller: Caller<'_>,
        service: &str,
        head: &RequestHead<'_>,
    ) -> Option<Admitted> {
        let inquiry = inquiry(caller, service, head);
        let believed = match self.rules.ask_for_token(&inquiry) {
            Some(Mode::Enforced) => Some(self.tokens.believe(bearer(head.fields).ok()?)?),
            Some(Mode::Shadow) => return None,
            None => None,
        };
        let token = believed.as_ref().map(|believed| &*believed.claims as &dyn Claims);
        let decision = self.rules.decide(&Inquiry { token, ..inquiry });
        let is_silent = decision.answer.reason().is_none() && decision.shadow.is_none();
        if !is_silent {
            return None;
        }
        if let Some(believed) = &believed {
            believed.count();
        }
        Some(Admitted(believed))
    }

    /// What the rules say, by the token that they look at.
    fn judge(
        &self,
        caller: Caller<'_>,
        service: &str,
        head: &RequestHead<'_>,
        judge: &dyn Fn(&str) -> Result<Believed, Unverified>,
    ) -> Result<Admitted, Stop> {
        let inquiry = inquiry(caller, service, head);
        let asked = self.rules.ask_for_token(&inquiry);
        let is_token_wanted = asked == Some(Mode::Enforced);
        let believed = match asked {
            Some(Mode::Enforced) => self.token_of(service, head.fields, judge)?,
            // What a rule in shadow would say to a token that is not believed is not worth a wait.
            Some(Mode::Shadow) => bearer(head.fields).ok().and_then(|token| judge(token).ok()),
            None => None,
        };
        let token = believed.as_ref().map(|believed| &*believed.claims as &dyn Claims);
        let decision = self.rules.decide(&Inquiry { token, ..inquiry });
        // It stays with its request where no rule decides by it.
        let believed = believed.filter(|_| is_token_wanted);
        self.tell_shadow(service, &decision);
        let Some(reason) = decision.answer.reason() else { return Ok(Admitted(believed)) };
        let rule = decision.rule.and_then(|place| self.name_of(place));
        tracing::debug!(service, reason, rule, ?caller, method = head.method, "refused");
        self.refusals.refused(service, decision.answer, rule);
        let refusal = Refusal::new(status_of(decision.answer), reason);
        Err(Stop::Refused(match is_token_wanted {
            true => Refusal { challenge: TOKEN_WANTED, ..refusal },
            false => refusal,
        }))
    }

    /// The token of a request that a rule asks for one. None is no fault: another rule may let it
    /// pass; but one that is not believed lets nothing pass.
    fn token_of(
        &self,
        service: &str,
        fields: &dyn Fields,
        judge: &dyn Fn(&str) -> Result<Believed, Unverified>,
    ) -> Result<Option<Believed>, Stop> {
        let found = bearer(fields).inspect_err(|fault| self.tokens.count_stray(*fault));
        let judged = match found {
            Ok(token) => judge(token),
            Err(TokenFault::MissingToken) => return Ok(None),
            Err(fault) => Err(Unverified::Faulty(fault)),
        };
        let answer = match judged {
            Ok(believed) => return Ok(Some(believed)),
            Err(Unverified::Awaited(wait)) => return Err(Stop::Awaiting(wait)),
            Err(Unverified::Unavailable) => Answer::AuthenticationUnavailable,
            Err(Unverified::Faulty(fault)) => {
                tracing::debug!(service, fault = fault.word(), "a token is not believed");
                if fault == TokenFault::DuplicateAuthorization {
                    let refusal = Refusal::new(StatusCode::BAD_REQUEST, "bad_request");
                    return Err(Stop::Refused(refusal));
                }
                Answer::AuthenticationInvalid
            }
        };
        Err(Stop::Refused(self.refuse(service, answer)))
    }

    /// The answer to a request that no rule was asked about.
    fn refuse(&self, service: &str, answer: Answer) -> Refusal {
        self.refusals.refused(service, answer, None);
        let refusal = Refusal::new(status_of(answer), answer.reason().unwrap_or_default());
        let is_later = answer == Answer::AuthenticationUnavailable;
        let retry_after = is_later.then_some(KEYS_RETRY_AFTER);
        Refusal { challenge: TOKEN_INVALID, retry_after, ..refusal }
    }

    fn tell_shadow(&self, service: &str, decision: &Decision) {
        if let Some(shadow) = decision.shadow {
            self.refusals.changed_by_shadow(service);
            let rule = self.name_of(shadow);
            tracing::info!(service, rule, "a policy in shadow mode would have changed the answer");
        }
    }

    fn name_of(&self, place: usize) -> Option<&str> {
        self.rules.rules().get(place).map(|rule| &*rule.name)
    }
}

fn status_of(answer: Answer) -> StatusCode {
    match answer {
        Answer::AuthenticationMissing | Answer::AuthenticationInvalid => StatusCode::UNAUTHORIZED,
        Answer::AuthenticationUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::FORBIDDEN,
    }
}

fn inquiry<'a>(caller: Caller<'a>, service: &'a str, head: &RequestHead<'a>) -> Inquiry<'a> {
    Inquiry {
        service,
        identity: caller.identity,
        peer: caller.peer,
        client: caller.client,
        port: caller.port,
        request: Some(RequestView {
            method: head.method,
            host: host_of(hygiene::request::authority(head)),
            path: head.path,
            fields: head.fields,
        }),
        token: None,
    }
}

impl From<Caller<'_>> for KeptCaller {
    fn from(caller: Caller<'_>) -> Self {
        let Caller { identity, peer, client, port } = caller;
        Self { identity: identity.map(Into::into), peer, client, port }
    }
}

impl KeptCaller {
    pub(crate) fn borrowed(&self) -> Caller<'_> {
        let Self { identity, peer, client, port } = self;
        Caller { identity: identity.as_deref(), peer: *peer, client: *client, port: *port }
    }
}

impl Admitted {
    /// Says upstream whom the token is about, and takes it off where it does not travel on.
    pub(crate) fn tell(self, headers: &mut HeaderMap) {
        if self.takes_token() {
            headers.remove(header::AUTHORIZATION);
        }
        if let Some(subject) = self.subject() {
            headers.insert(SUBJECT, subject);
        }
    }

    /// Whether the token is taken off.
    pub(crate) fn takes_token(&self) -> bool {
        self.0.as_ref().is_some_and(|believed| !believed.forwards)
    }

    /// Whom the token is about, as the value of [`SUBJECT`].
    pub(crate) fn subject(&self) -> Option<HeaderValue> {
        // A subject is lawful in a field.
        HeaderValue::from_str(self.0.as_ref()?.claims.subject().as_str()).ok()
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
