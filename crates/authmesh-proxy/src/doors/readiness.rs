//! Decides whether the proxy is ready for requests, and says what is missing.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use authmesh::identity::{CertificateStatus, IdentityStatus};
use authmesh::jwt::ProviderStatus;
use authmesh::status::{MeshStatus, ServiceStatus};
use authmesh::telemetry::MeshMetrics;
use authmesh::worker::Clock;
use serde::Serialize;

use super::standing::{Phase, Standing};
use super::time_text::time_text;
use crate::step::Step;

/// Whether the proxy is ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Readiness {
    /// Whether nothing is missing.
    pub(crate) ready: bool,
    /// What is.
    pub(crate) missing: Vec<Missing>,
    /// How old every certificate is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) certificates: Vec<CertificateStatus>,
}

/// A step that is not taken yet, or no longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Missing {
    /// Which: a step of the start, `drain`, `identity`, `keys:PROVIDER`, `discovery:SERVICE` or
    /// `endpoints:SERVICE`.
    pub(crate) step: String,
    /// Why, in a sentence.
    pub(crate) reason: String,
    /// Since when.
    pub(crate) since: String,
}

impl Readiness {
    /// The readiness of a proxy. Asking changes nothing.
    pub(crate) fn of(standing: &Standing, status: &MeshStatus) -> Self {
        Self::judge(standing.phase(), status, Clock.time_of_day())
    }

    /// Whether nothing is missing, by a snapshot that does not know the reasons.
    pub(crate) fn is_ready(standing: &Standing, metrics: &MeshMetrics) -> bool {
        let serves = standing.phase().0 == Phase::Serving;
        let is_unusable = |identity: &IdentityStatus| identity.unusable.is_some();
        serves
            && !metrics.identity.as_ref().is_some_and(is_unusable)
            && metrics.tokens.iter().all(ProviderStatus::is_usable)
            && metrics.services.iter().all(|service| service.unroutable.is_none())
    }

    fn judge((phase, since): (Phase, SystemTime), status: &MeshStatus, now: SystemTime) -> Self {
        let of_phase: Vec<Missing> = match phase {
            Phase::Starting(now) => {
                now.and_later().map(|step| of_start(step, now, since)).collect()
            }
            Phase::Serving => Vec::new(),
            Phase::Draining => vec![Missing {
                step: "drain".to_owned(),
                reason: "the mesh is stopping".to_owned(),
                since: time_text(since),
            }],
        };
        let of_services = status.services.iter().filter_map(|service| of_service(service, now));
        let of_identity = status.identity.as_ref().and_then(|identity| of_identity(identity, now));
        let of_tokens = status.tokens.iter().filter_map(|provider| of_provider(provider, now));
        let missing = of_phase.into_iter().chain(of_identity).chain(of_tokens);
        let missing: Vec<_> = missing.chain(of_services).collect();
        let certificates = status.identity.iter().flat_map(|identity| &identity.certificates);
        Self { ready: missing.is_empty(), missing, certificates: certificates.cloned().collect() }
    }
}

/// A step of the start that is not taken yet.
fn of_start(step: Step, now: Step, since: SystemTime) -> Missing {
    let reason = match step == now {
        true => format!("not yet: {} (limit: {})", step.rule().what, step.rule().limit),
        false => format!("comes after {}", now.rule().word),
    };
    Missing { step: step.rule().word.to_owned(), reason, since: time_text(since) }
}

/// What an identity cannot prove or believe any more, since the first of its certificates ended.
fn of_identity(identity: &IdentityStatus, now: SystemTime) -> Option<Missing> {
    let reason = match (&identity.unusable, &identity.refused) {
        (Some(unusable), Some(refused)) => format!("{unusable}, and the files on disk: {refused}"),
        (Some(unusable), None) => unusable.clone(),
        (None, _) => return None,
    };
    let ended = identity.certificates.iter().map(|certificate| certificate.ends_at).min();
    let since = UNIX_EPOCH + Duration::from_secs(ended.unwrap_or(0));
    Some(Missing { step: "identity".to_owned(), reason, since: time_text(since.min(now)) })
}

/// A token provider whose tokens cannot be judged, since its keys do not come.
fn of_provider(provider: &ProviderStatus, now: SystemTime) -> Option<Missing> {
    if provider.is_usable() {
        return None;
    }
    let fault = provider.fault.as_deref().unwrap_or("they are being fetched");
    let reason = format!("it has no keys that may be used: {fault}");
    let since = provider.fault_since.map(|since| UNIX_EPOCH + Duration::from_secs(since));
    let since = time_text(since.unwrap_or(now));
    Some(Missing { step: format!("keys:{}", provider.name), reason, since })
}

fn of_service(service: &ServiceStatus, now: SystemTime) -> Option<Missing> {
    let waited = Duration::from_millis(service.unroutable_for_ms?);
    let name = &service.name;
    let (step, reason) = if !service.known {
        let reason = match &service.source_lost {
            Some(lost) => format!("no instance of it is known: {}", lost.reason),
            None => "its source has not said anything yet".to_owned(),
        };
        (format!("discovery:{name}"), reason)
    } else if service.total == 0 {
        (format!("endpoints:{name}"), "it has no instance".to_owned())
    } else {
        let reason = format!("none of its {} instances may take requests", service.total);
        (format!("endpoints:{name}"), reason)
    };
    Some(Missing { step, reason, since: time_text(now.checked_sub(waited).unwrap_or(now)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_lists_the_steps_that_are_still_to_be_taken() {
        let status =
            MeshStatus { services: Vec::new(), identity: None, tokens: Vec::new(), events: 0 };
        let since = SystemTime::UNIX_EPOCH;
        let steps = |phase| {
            let readiness = Readiness::judge((phase, since), &status, since);
            assert_eq!(readiness.ready, readiness.missing.is_empty());
            readiness.missing.into_iter().map(|missing| missing.step).collect::<Vec<_>>()
        };
        let starting = steps(Phase::Starting(Step::Discovery));
        assert_eq!(starting, ["discovery", "health", "listeners"]);
        assert_eq!(steps(Phase::Starting(Step::Listeners)), ["listeners"]);
        assert_eq!(steps(Phase::Serving), [""; 0]);
        assert_eq!(steps(Phase::Draining), ["drain"]);
    }
}
