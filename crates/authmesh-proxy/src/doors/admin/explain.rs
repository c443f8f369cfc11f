//! Answers what the access rules say of a request written out, which rule decided, where that is
//! written, and what was in the way of each other one.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use authmesh::config::MeshConfig;
use authmesh_logic::authorization::{
    AccessCase, AccessRules, CaseError, WrittenFields, WrittenToken,
};
use http::StatusCode;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::doors::answer::{Answer, error, json as answer_json};

/// The largest body, in bytes.
const MOST_BODY_BYTES: usize = 64 * 1024;

/// How long the body may take.
const BODY_LIMIT: Duration = Duration::from_secs(5);

/// What is to be explained.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    access: Access,
}

/// A request, as `[[policy_test]]` writes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Access {
    service: String,
    request: String,
    from: Option<String>,
    address: Option<IpAddr>,
    remote_address: Option<IpAddr>,
    host: Option<String>,
    port: Option<u16>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    jwt: Option<String>,
    #[serde(default)]
    claims: BTreeMap<String, Texts>,
}

/// A text, or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Texts {
    One(Box<str>),
    Several(Vec<Box<str>>),
}

/// Reads the question and answers it by the configuration in force.
pub(crate) async fn explain(config: &MeshConfig, body: Incoming) -> Answer {
    let bad = |message: &str| error(StatusCode::BAD_REQUEST, "bad_request", message);
    let body = Limited::new(body, MOST_BODY_BYTES).collect();
    let Ok(Ok(body)) = tokio::time::timeout(BODY_LIMIT, body).await else {
        return bad("the body is too long or did not come in time");
    };
    let question: Question = match serde_json::from_slice(&body.to_bytes()) {
        Ok(question) => question,
        Err(fault) => return bad(&format!("wanted: {WANTED}; {fault}")),
    };
    let service = question.access.service.clone();
    if !config.services.iter().any(|known| known.name.as_str() == service) {
        return bad(&format!("there is no service `{service}`"));
    }
    match case(config, question.access) {
        Ok(case) => answer_json(StatusCode::OK, &explained(config, &case)),
        Err(fault) => bad(fault),
    }
}

const WANTED: &str = "{\"access\": {\"service\": \"S\", \"request\": \"POST /path\"}}, with `from`, \
                      `address`, `remote_address`, `host`, `port`, `headers`, `jwt` and `claims` as wanted";

fn case(config: &MeshConfig, access: Access) -> Result<AccessCase, &'static str> {
    let words = |fault| match fault {
        CaseError::Form => "a request is a method, a space and a path",
        CaseError::Method => "a request with this method is refused before rules are asked",
        CaseError::Path => "a request with this path is refused before rules are asked",
        CaseError::Host => "this is not a host",
    };
    let service = access.service.parse().map_err(|_| "this is not a service")?;
    let mut case = AccessCase::new(service, &access.request).map_err(words)?;
    if let Some(host) = access.host {
        case = case.at_host(&host).map_err(words)?;
    }
    case.identity = access.from.map(Into::into);
    (case.peer, case.client, case.port) = (access.address, access.remote_address, access.port);
    let field = |(name, value): (String, String)| (name.to_ascii_lowercase().into(), value.into());
    case.fields = WrittenFields(access.headers.into_iter().map(field).collect());
    if access.jwt.is_none() && !access.claims.is_empty() {
        return Err("`claims` needs `jwt`");
    }
    if let Some(name) = access.jwt {
        let mut providers = config.security.providers.iter();
        let provider = providers.find(|provider| *provider.name == *name);
        let issuer = provider.ok_or("there is no such token provider")?.tokens.issuer.clone();
        let claim = |(name, texts): (String, Texts)| match texts {
            Texts::One(text) => (name.into(), vec![text]),
            Texts::Several(texts) => (name.into(), texts),
        };
        let claims = access.claims.into_iter().map(claim).collect();
        case.token = Some(WrittenToken { issuer, claims });
    }
    Ok(case)
}

fn explained(config: &MeshConfig, case: &AccessCase) -> Value {
    let rules = config.security.access_rules();
    let decision = case.decide(&rules);
    let inquiry = case.inquiry();
    let walk = rules.walk(&inquiry).map(|(place, miss)| {
        let mut rule = named(config, &rules, place);
        rule["holds"] = miss.is_none().into();
        rule["why_not"] = miss.map(|miss| miss.words()).into();
        rule
    });
    json!({
        "allowed": decision.answer.is_allowed(),
        "reason": decision.answer.reason(),
        "words": rules.describe(&decision),
        "path": case.path(),
        "rule": decision.rule.map(|place| named(config, &rules, place)),
        "changed_by_shadow": decision.shadow.map(|place| named(config, &rules, place)),
        "rules": walk.collect::<Vec<_>>(),
    })
}

fn named(config: &MeshConfig, rules: &AccessRules, place: usize) -> Value {
    let (rule, policy) = (rules.rules().get(place), config.security.policies.get(place));
    json!({
        "name": rule.map(|rule| &*rule.name),
        "action": rule.map(|rule| rule.action.word()),
        "mode": rule.map(|rule| rule.mode.word()),
        "origin": policy.map(|policy| policy.origin.to_string()),
    })
}
