//! The one list of metrics: every name, what it counts, in which unit, under which labels.
//!
//! `docs/metrics.md` is written from it. A label's values come from the configuration or from
//! lists in the program, never from a request.

/// One metric.
pub(crate) struct Metric {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// What one is of; `None` is a plain number.
    pub(crate) unit: Option<&'static str>,
    pub(crate) labels: &'static [&'static str],
    /// What it says, in one sentence.
    pub(crate) help: &'static str,
}

/// How a metric's values are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Only grows, until the process starts anew.
    Counter,
    /// What is at this moment.
    Gauge,
    /// Counters by upper bound, with a sum and a count.
    Histogram,
}

impl Kind {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

macro_rules! metrics {
    ($($constant:ident $name:literal $kind:ident $unit:expr, [$($label:literal),*] $help:literal;)*) => {
        $(
            pub(crate) const $constant: Metric = Metric {
                name: $name,
                kind: Kind::$kind,
                unit: $unit,
                labels: &[$($label),*],
                help: $help,
            };
        )*

        /// Every metric, in the order in which they are written out.
        #[cfg(test)]
        pub(crate) const ALL: &[Metric] = &[$($constant),*];
    };
}

const SECONDS: Option<&str> = Some("seconds");

metrics! {
    REQUESTS "authmesh_requests_total" Counter None, ["service", "operation", "outcome"]
        "Requests by who answered: `answered` is the service, `refused` is the mesh.";
    REFUSALS "authmesh_refusals_total" Counter None, ["service", "operation", "reason"]
        "Requests that the mesh answered for the service, by reason.";
    ACCESS_REFUSALS "authmesh_access_refusals_total" Counter None, ["service", "reason"]
        "Requests that the access rules refused, by reason; without a service, those that no route takes.";
    SHADOWED "authmesh_access_shadow_total" Counter None, ["service"]
        "Requests whose answer a policy in shadow mode would have changed.";
    REQUEST_SECONDS "authmesh_request_seconds" Histogram SECONDS, ["service", "operation"]
        "Time from a request to the head of the service's answer, retries included.";
    ATTEMPTS "authmesh_attempts_total" Counter None, ["service", "operation", "outcome"]
        "Attempts by what their end says of the service; a denial is an answer, no failure.";
    RETRIES "authmesh_retries_total" Counter None, ["service", "operation"]
        "Attempts beyond the first of a request.";
    PICKS "authmesh_balancer_picks_total" Counter None, ["service", "strategy"]
        "Endpoints chosen, under the strategy in force.";
    BREAKER_STATE "authmesh_breaker_state" Gauge None, ["service", "operation", "state"]
        "1 for the state an operation's breaker is in, 0 for every other.";
    BREAKER_REJECTIONS "authmesh_breaker_rejections_total" Counter None,
        ["service", "operation", "reason"]
        "Attempts that an operation's breaker refused, by its reason.";
    BREAKER_TRANSITIONS "authmesh_breaker_transitions_total" Counter None,
        ["service", "operation", "state", "kind", "reason"]
        "How often an operation's breaker entered a state, from which one (`closed_to_open`), and why; an operator's moves appear once made.";
    BREAKER_STATE_SECONDS "authmesh_breaker_state_seconds_total" Counter SECONDS,
        ["service", "operation", "state"]
        "For how long an operation's breaker has been in each state.";
    BREAKER_TRIALS "authmesh_breaker_trials_total" Counter None, ["service", "operation", "result"]
        "Trials of half-open breakers that `passed`, `failed`, `returned` without a word, or came too `late`; one that never comes back is a transition with the reason `trial_limit`.";
    BREAKER_WINDOW "authmesh_breaker_window_calls" Gauge None, ["service", "operation", "kind"]
        "The evidence an operation's breaker judges by: `total`, and of these `failures`, `slow`, `denied`.";
    BREAKER_OPEN "authmesh_breaker_open_seconds" Gauge SECONDS, ["service", "operation"]
        "For how long an open breaker still refuses; 0 while it is not open.";
    BREAKER_STALE "authmesh_breaker_stale_results_total" Counter None, ["service", "operation"]
        "Results that came after their phase was over, and changed nothing.";
    ADMISSION_LIMIT "authmesh_admission_limit" Gauge None, ["service", "operation"]
        "How many requests of an operation may be in flight at once, where that is bounded.";
    ADMISSION_IN_FLIGHT "authmesh_admission_in_flight" Gauge None, ["service", "operation"]
        "How many requests of an operation are in flight, where that is bounded.";
    ADMISSION_SHED "authmesh_admission_shed_ratio" Gauge None, ["service", "operation"]
        "Which share of an operation's requests is refused because only a share is served.";
    QUOTA_CLOSED "authmesh_quota_closed_seconds" Gauge SECONDS, ["service", "operation"]
        "For how long an operation's own quota is still closed by a throttled answer; 0 while it is open.";
    EJECTIONS "authmesh_outlier_ejections_total" Counter None, ["service", "reason"]
        "Instances ejected because their outcomes stood out, by the rule that found them.";
    ENDPOINTS "authmesh_endpoints" Gauge None, ["service", "state"]
        "Instances by whether they may take requests, or why not.";
    ENDPOINT_BREAKERS "authmesh_endpoint_breakers" Gauge None, ["service", "state"]
        "Breakers of single instances by state.";
    ENDPOINT_BREAKER_REJECTIONS "authmesh_endpoint_breaker_rejections_total" Counter None,
        ["service", "reason"]
        "Attempts that breakers of single instances refused, by their reason.";
    ENDPOINT_BREAKER_TRANSITIONS "authmesh_endpoint_breaker_transitions_total" Counter None,
        ["service", "state", "kind", "reason"]
        "How often breakers of single instances entered a state, from which one, and why.";
    ENDPOINT_BREAKER_TRIALS "authmesh_endpoint_breaker_trials_total" Counter None,
        ["service", "result"]
        "Trials of half-open breakers of single instances, by how they came back.";
    PANIC "authmesh_panic" Gauge None, ["service"]
        "1 while unhealthy instances take requests because no healthy one is left.";
    SOURCE_LOST "authmesh_source_lost_seconds" Gauge SECONDS, ["service"]
        "For how long the source of a service's instances is not reached; 0 while it is.";
    IN_FLIGHT "authmesh_in_flight" Gauge None, ["service"]
        "Attempts in flight.";
    UPSTREAM_CONNECTIONS "authmesh_upstream_connections" Gauge None, ["service"]
        "Connections open to instances.";
    CHECKS "authmesh_health_checks_total" Counter None, ["service", "result"]
        "Checks of instances, those that requests answered included.";
    HEALTH_CHANGES "authmesh_health_changes_total" Counter None, ["service"]
        "Verdicts of checks that changed.";
    REGISTRY_INSTANCES "authmesh_registry_instances" Gauge None, ["state"]
        "Instances in the registry: `held` prove that they live, `missing` no longer do.";
    REGISTRY_WATCHERS "authmesh_registry_watchers" Gauge None, []
        "Waits for a change of the registry that are under way.";
    REGISTRY_CHANGES "authmesh_registry_changes_total" Counter None, ["kind"]
        "What happened in the registry, by kind.";
    REGISTRY_SAVES "authmesh_registry_saves_total" Counter None, ["result"]
        "Times the registry was written to disk, or could not be.";
    CONNECTIONS "authmesh_connections" Gauge None, []
        "Connections of clients that are open.";
    REQUESTS_IN_FLIGHT "authmesh_requests_in_flight" Gauge None, []
        "Requests of clients whose answer has not ended.";
    TASKS "authmesh_tasks" Gauge None, []
        "Tasks of the workers: listeners, connections, and streams in flight.";
    HANDSHAKES "authmesh_tls_handshakes_total" Counter None, ["kind", "result"]
        "TLS handshakes by side, `inbound` or `outbound`, and by how they ended.";
    CERTIFICATE_ENDS "authmesh_certificate_not_after_seconds" Gauge SECONDS, ["kind"]
        "When the first certificate of a kind ends, in seconds since 1970: the mesh's `own`, its `bundle`, those of a `federation`, a `crl`.";
    TOKENS "authmesh_tokens_total" Counter None, ["kind", "result"]
        "Tokens that were judged, by provider and by what came of it; without a provider those of which nobody knows whose they are.";
    KEY_FETCHES "authmesh_jwks_fetches_total" Counter None, ["kind", "result"]
        "Fetches of the keys of a token provider, by how they ended.";
    KEYS "authmesh_jwks_keys" Gauge None, ["kind"]
        "Keys of a token provider.";
    KEYS_AGE "authmesh_jwks_age_seconds" Gauge SECONDS, ["kind"]
        "How old the keys of a token provider are; absent while it has none.";
    KEYS_USABLE "authmesh_jwks_usable_seconds" Gauge SECONDS, ["kind"]
        "For how long the keys of a token provider may still be used if none come; 0 while it has none.";
    READY "authmesh_ready" Gauge None, []
        "1 while nothing is missing for readiness; `/readyz` says what is.";
    RELOAD_FAILURES "authmesh_reload_failures_total" Counter None, []
        "Reloads that were refused; the configuration before them stayed in force.";
    EVENTS "authmesh_events_total" Counter None, []
        "Events told: changes of state, of health and of membership.";
    EVENTS_MISSED "authmesh_events_missed_total" Counter None, []
        "Events that somebody who listens was too slow for.";
    START "authmesh_start_time_seconds" Gauge SECONDS, []
        "When the process began to serve, in seconds since 1970.";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fmt::Write as _;
    use std::path::Path;

    use super::*;

    const LAWFUL_LABELS: [&str; 10] = [
        "service",
        "operation",
        "zone",
        "reason",
        "state",
        "result",
        "outcome",
        "strategy",
        "kind",
        "listener",
    ];

    #[test]
    fn names_follow_the_conventions_and_are_used_once() {
        let names: BTreeSet<_> = ALL.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), ALL.len());
        for metric in ALL {
            let name = metric.name;
            assert!(name.starts_with("authmesh_"), "{name}");
            assert_eq!(metric.kind == Kind::Counter, name.ends_with("_total"), "{name}");
            let is_of_seconds = name.strip_suffix("_total").unwrap_or(name).ends_with("_seconds");
            assert_eq!(metric.unit.is_some(), is_of_seconds, "{name}");
            assert!(metric.labels.iter().all(|label| LAWFUL_LABELS.contains(label)), "{name}");
            assert!(metric.help.ends_with('.'), "{name}");
        }
    }

    #[test]
    fn the_reference_is_written_from_the_list() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md");
        let wanted = reference();
        if std::env::var_os("AUTHMESH_WRITE").is_some() {
            std::fs::write(&path, &wanted).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(found == wanted, "docs/metrics.md is old: run this test with AUTHMESH_WRITE=1");
    }

    fn reference() -> String {
        let mut page = String::from(
            "# Metrics\n\n<!-- Written from crates/authmesh-proxy/src/doors/metrics/names.rs. -->\n\n\
             `GET /metrics` at the address of `[metrics]` answers in the text format of Prometheus, \
             or as\nOpenMetrics 1.0 to who accepts that. Asking changes nothing. Label values come \
             from the\nconfiguration and from the program, never from a request.\n\n\
             | name | kind | unit | labels | what it says |\n|---|---|---|---|---|\n",
        );
        for Metric { name, kind, unit, labels, help } in ALL {
            let (kind, unit) = (kind.word(), unit.unwrap_or("–"));
            let labels = match labels {
                [] => "–".to_owned(),
                labels => format!("`{}`", labels.join("`, `")),
            };
            let _ = writeln!(page, "| `{name}` | {kind} | {unit} | {labels} | {help} |");
        }
        page
    }
}
