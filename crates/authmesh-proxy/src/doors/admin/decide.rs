//! What an operator decides about one instance: whether it takes requests, and its share.

use std::fmt;
use std::time::Duration;

use authmesh::Mesh;
use authmesh_logic::config::DiscoverySource;
use authmesh_logic::discovery::registry::Refusal;
use authmesh_logic::discovery::{Administration, InstanceId, Weight};
use http::StatusCode;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde_json::{Value, json};

use crate::doors::answer::{Answer, error, json as answer_json, not_found};

/// A decision about an instance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Decision {
    /// Whether it takes requests.
    Administration(Administration),
    /// Its share, whatever it registers with; `None` lifts the decision.
    Weight(Option<Weight>),
}

/// The largest body of a decision, in bytes.
const MOST_BODY_BYTES: usize = 1_024;

/// How long the body may take.
const BODY_LIMIT: Duration = Duration::from_secs(5);

/// How long the decision may take to be on disk.
const SAVE_LIMIT: Duration = Duration::from_secs(10);

impl Decision {
    /// Whether there is a decision of this name.
    pub(crate) fn is_verb(verb: &str) -> bool {
        verb == "weight" || administration(verb).is_some()
    }

    /// Reads the decision `verb` with what its body says.
    pub(crate) async fn read(verb: &str, body: Incoming) -> Result<Self, &'static str> {
        if let Some(administration) = administration(verb) {
            return Ok(Self::Administration(administration));
        }
        let body = Limited::new(body, MOST_BODY_BYTES).collect();
        let body = tokio::time::timeout(BODY_LIMIT, body).await;
        let Ok(Ok(body)) = body else { return Err("the body is too long or did not come in time") };
        let body = serde_json::from_slice(&body.to_bytes()).unwrap_or_default();
        weight(&body).map(Self::Weight).ok_or(WANTED_WEIGHT)
    }
}

const WANTED_WEIGHT: &str =
    "wanted: {\"weight\": N} with N from 0.1 to 10, or null to lift the decision";

/// Makes a decision, and answers once it is on disk where the registry is.
pub(crate) async fn decide(mesh: &Mesh, service: &str, id: &str, decision: Decision) -> Answer {
    let config = mesh.config();
    let known = config.services.iter().find(|known| known.name.as_str() == service);
    let Some(known) = known else { return not_found(&format!("there is no service `{service}`")) };
    let (DiscoverySource::Registry, Some(registry)) = (&known.source, mesh.registry()) else {
        let message =
            format!("the instances of `{service}` are not registered but listed: change the list");
        return error(StatusCode::CONFLICT, "conflict", &message);
    };
    let unknown = || not_found(&format!("service `{service}` has no instance `{id}`"));
    let Ok(id) = id.parse::<InstanceId>() else { return unknown() };
    let decided = match decision {
        Decision::Administration(administration) => {
            registry.set_administration(&known.name, &id, administration)
        }
        Decision::Weight(weight) => registry.set_weight(&known.name, &id, weight),
    };
    let revision = match decided {
        Ok(revision) => revision,
        Err(Refusal::Unknown) => return unknown(),
        Err(refusal) => return error(StatusCode::CONFLICT, "conflict", &refusal.to_string()),
    };
    match tokio::time::timeout(SAVE_LIMIT, registry.saved()).await {
        Ok(Ok(())) => answer_json(StatusCode::OK, &json!({ "ok": true, "revision": revision })),
        _ => {
            let message =
                "the decision is in force, and is not on disk: it may not outlive a crash";
            error(StatusCode::INTERNAL_SERVER_ERROR, "not_saved", message)
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Administration(Administration::Enabled) => formatter.write_str("undrain"),
            Self::Administration(Administration::Draining) => formatter.write_str("drain"),
            Self::Administration(Administration::Quarantined) => formatter.write_str("quarantine"),
            Self::Weight(Some(weight)) => write!(formatter, "weight {}", weight.as_shares()),
            Self::Weight(None) => formatter.write_str("weight as registered"),
        }
    }
}

fn administration(verb: &str) -> Option<Administration> {
    match verb {
        "drain" => Some(Administration::Draining),
        "undrain" => Some(Administration::Enabled),
        "quarantine" => Some(Administration::Quarantined),
        _ => None,
    }
}

/// The weight in a body; the outer `None` is a body that says none.
fn weight(body: &Value) -> Option<Option<Weight>> {
    match body.get("weight")? {
        Value::Null => Some(None),
        shares => Weight::shares(shares.as_f64()?).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use authmesh::discovery::{DEFAULT_TTL, Instance};

    use super::*;

    #[tokio::test]
    async fn a_decision_reaches_the_registry_and_listed_instances_have_none() {
        let text = "version = 1\n[registry]\nkind = \"embedded\"\n\
                    [service.token]\ndiscover = { registry = true }\n\
                    [service.listed]\nendpoints = [\"127.0.0.1:1\"]\n";
        let config = authmesh::config::parse(text, "mesh.toml").unwrap().config;
        let mesh = Mesh::builder(config).build().await.unwrap();
        let (service, instance) = ("token".parse().unwrap(), "127.0.0.1:1".parse().unwrap());
        let registry = mesh.registry().unwrap();
        registry.record(&service, Instance::at(instance), DEFAULT_TTL).unwrap();
        let id = registry.list(&service).instances[0].id.to_string();

        let drain = Decision::Administration(Administration::Draining);
        let half = Decision::Weight(Some(Weight::hundredths(50)));
        for decision in [drain, half] {
            assert_eq!(decide(&mesh, "token", &id, decision).await.status(), StatusCode::OK);
        }
        let decided = registry.list(&service).instances[0].clone();
        assert_eq!(decided.administration, Administration::Draining);
        assert_eq!(decided.weight, Weight::hundredths(50));

        for (service, id, status) in [
            ("token", "nobody", StatusCode::NOT_FOUND),
            ("nobody", id.as_str(), StatusCode::NOT_FOUND),
            ("listed", id.as_str(), StatusCode::CONFLICT),
        ] {
            assert_eq!(decide(&mesh, service, id, drain).await.status(), status, "{service} {id}");
        }
    }

    #[test]
    fn a_weight_is_a_number_of_shares_or_nothing() {
        let cases = [
            (json!({ "weight": 0.5 }), Some(Some(Weight::hundredths(50)))),
            (json!({ "weight": 10 }), Some(Some(Weight::HEAVIEST))),
            (json!({ "weight": null }), Some(None)),
            (json!({ "weight": 11 }), None),
            (json!({ "weight": 0 }), None),
            (json!({ "weight": "1" }), None),
            (json!({}), None),
            (json!(null), None),
        ];
        for (body, wanted) in cases {
            assert_eq!(weight(&body), wanted, "{body}");
        }
    }
}
