//! Asks the access rules whether a request may pass, and makes the answer of what may not.

use std::net::IpAddr;
use std::sync::Arc;

use authmesh::config::MeshConfig;
use authmesh_logic::authorization::{AccessRules, Answer, Decision, Inquiry, RequestView};
use authmesh_logic::hygiene;
use authmesh_logic::request_head::RequestHead;
use authmesh_logic::routing::host_of;
use http::StatusCode;

use crate::refusals::Refusals;
use crate::reply::Refusal;

/// The access rules in force.
pub(crate) struct Access {
    rules: AccessRules,
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

impl Access {
    /// The rules of this configuration; what they refuse is counted in `refusals`.
    pub(crate) fn new(config: &MeshConfig, refusals: &Arc<Refusals>) -> Self {
        refusals.keep(config.services.iter().map(|service| service.name.as_str()));
        Self { rules: config.security.access_rules(), refusals: Arc::clone(refusals) }
    }

    /// Lets a request pass, or says how it is refused. `service` is empty where no route takes it.
    /// The request is the one that would be sent: its path is in normal form, and what does not
    /// travel is taken off it, so that a rule sees what the service would see.
    pub(crate) fn admit(
        &self,
        caller: Caller<'_>,
        service: &str,
        head: &RequestHead<'_>,
    ) -> Result<(), Refusal> {
        let decision = self.decide(caller, service, head);
        let name = |place: usize| self.rules.rules().get(place).map(|rule| &*rule.name);
        if let Some(shadow) = decision.shadow {
            self.refusals.changed_by_shadow(service);
            let rule = name(shadow);
            tracing::info!(service, rule, "a policy in shadow mode would have changed the answer");
        }
        let Some(reason) = decision.answer.reason() else { return Ok(()) };
        let rule = decision.rule.and_then(name);
        tracing::debug!(service, reason, rule, ?caller, method = head.method, "refused");
        self.refusals.refused(service, decision.answer, rule);
        let status = match decision.answer {
            Answer::AuthenticationMissing => StatusCode::UNAUTHORIZED,
            _ => StatusCode::FORBIDDEN,
        };
        Err(Refusal::new(status, reason))
    }

    /// Whether a request passes and no rule has anything to tell of it. Tells nobody itself, so that
    /// [`admit`](Self::admit) can be asked again.
    pub(crate) fn passes(&self, caller: Caller<'_>, service: &str, head: &RequestHead<'_>) -> bool {
        let decision = self.decide(caller, service, head);
        decision.answer.reason().is_none() && decision.shadow.is_none()
    }

    fn decide(&self, caller: Caller<'_>, service: &str, head: &RequestHead<'_>) -> Decision {
        self.rules.decide(&Inquiry {
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
        })
    }
}
