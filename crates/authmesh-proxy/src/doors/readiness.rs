//! Decides whether the proxy is ready for requests, and says what is missing.

use std::time::{Duration, SystemTime};

use authmesh::status::{MeshStatus, ServiceStatus};
use authmesh::telemetry::MeshMetrics;
use authmesh::worker::Clock;
use serde::Serialize;

use super::standing::{Phase, Standing};
use super::time_text::time_text;

/// Whether the proxy is ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Readiness {
    /// Whether nothing is missing.
    pub(crate) ready: bool,
    /// What is.
    pub(crate) missing: Vec<Missing>,
}

/// A step that is not taken yet, or no longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Missing {
    /// Which: `start`, `drain`, `discovery:SERVICE` or `endpoints:SERVICE`.
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
        serves && metrics.services.iter().all(|service| service.unroutable.is_none())
    }

    fn judge((phase, since): (Phase, SystemTime), status: &MeshStatus, now: SystemTime) -> Self {
        let of_phase = match phase {
            Phase::Starting => Some(("start", "the listeners are not open yet")),
            Phase::Serving => None,
            Phase::Draining => Some(("drain", "the mesh is stopping")),
        };
        let of_phase = of_phase.map(|(step, reason)| Missing {
            step: step.to_owned(),
            reason: reason.to_owned(),
            since: time_text(since),
        });
        let of_services = status.services.iter().filter_map(|service| of_service(service, now));
        let missing: Vec<_> = of_phase.into_iter().chain(of_services).collect();
        Self { ready: missing.is_empty(), missing }
    }
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
