//! Reads and writes the configuration at the door for people.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde_json::json;

use super::entry::Visitor;
use crate::doors::answer::{Answer, busy, error, json as answer_json, not_found, wrong_method};
use crate::doors::ask::Push;
use crate::doors::standing::Standing;

/// The largest configuration that is taken, in bytes.
const MOST_BODY_BYTES: usize = 4 * 1024 * 1024;

/// How long the body may take.
const BODY_LIMIT: Duration = Duration::from_secs(30);

/// How long it may take to put a configuration in force before whoever asked is told that it goes
/// on.
const CHANGE_LIMIT: Duration = Duration::from_secs(30);

/// The longest name or reason, in characters.
const LONGEST_TEXT: usize = 200;

/// Answers what stands below `/v1/config`: `path` is what follows.
pub(super) async fn answer(
    standing: &Standing,
    visitor: Visitor,
    path: &[&str],
    request: Request<Incoming>,
) -> Answer {
    match (path, request.method()) {
        ([], &Method::POST) => put(standing, visitor, request).await,
        (_, &Method::GET | &Method::HEAD) => read(standing, path),
        ([], _) => wrong_method("GET, HEAD, POST"),
        (_, _) => wrong_method("GET, HEAD"),
    }
}

fn read(standing: &Standing, path: &[&str]) -> Answer {
    let in_force = &standing.in_force;
    match path {
        [] => match in_force.describe() {
            Some(value) => {
                let tag = format!("\"{}\"", value["version"]);
                let mut answer = answer_json(StatusCode::OK, &value);
                if let Ok(tag) = HeaderValue::from_str(&tag) {
                    answer.headers_mut().insert(header::ETAG, tag);
                }
                answer
            }
            None => not_found("no versions are kept here"),
        },
        ["versions"] => answer_json(StatusCode::OK, &json!({ "versions": in_force.list() })),
        ["versions", number] => {
            match number.parse().ok().and_then(|number| in_force.version(number)) {
                Some(value) => answer_json(StatusCode::OK, &value),
                None => not_found(&format!("version `{number}` is not kept")),
            }
        }
        _ => not_found("there is nothing here"),
    }
}

async fn put(standing: &Standing, visitor: Visitor, request: Request<Incoming>) -> Answer {
    let Some(instead_of) = if_match(request.headers()) else {
        let message = "say with `If-Match: \"N\"` which version this is instead of";
        return error(StatusCode::PRECONDITION_REQUIRED, "if_match_missing", message);
    };
    let query = request.uri().query().unwrap_or_default();
    let reason = of_query(query, "weaker");
    let name = of_query(query, "name").unwrap_or_else(|| "put".to_owned());
    let body = Limited::new(request.into_body(), MOST_BODY_BYTES).collect();
    let Ok(Ok(body)) = tokio::time::timeout(BODY_LIMIT, body).await else {
        let message = "the body is too long or did not come in time";
        return error(StatusCode::BAD_REQUEST, "bad_request", message);
    };
    let Ok(text) = String::from_utf8(body.to_bytes().into()) else {
        return error(StatusCode::BAD_REQUEST, "bad_request", "the body is not UTF-8");
    };
    let cause = match &reason {
        Some(reason) => format!("{name}, by {visitor}, weaker accepted: {reason}"),
        None => format!("{name}, by {visitor}"),
    };
    tracing::info!(who = %visitor, instead_of, weaker = reason, "a configuration was put");
    let push = Push { text, name, cause, instead_of, takes_weaker: reason.is_some() };
    match tokio::time::timeout(CHANGE_LIMIT, standing.asks.put(push)).await {
        Ok(Some(Ok(changed))) => answer_json(StatusCode::OK, &changed),
        Ok(Some(Err(fault))) => fault.answer(),
        Ok(None) => busy(),
        Err(_) => answer_json(
            StatusCode::ACCEPTED,
            &json!({ "ok": false, "message": "it goes on; `/v1/config` will say how it ended" }),
        ),
    }
}

/// The version that `If-Match` names.
fn if_match(headers: &HeaderMap) -> Option<u64> {
    let value = headers.get(header::IF_MATCH)?.to_str().ok()?;
    value.trim().strip_prefix('"')?.strip_suffix('"')?.parse().ok()
}

/// A text of the query: `weaker=WHY` takes a weaker configuration, `name=NAME` names it.
fn of_query(query: &str, key: &str) -> Option<String> {
    let mut values = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = values.find(|(known, _)| *known == key)?;
    let text = crate::doors::path::segments(&format!("/{value}"))?.concat();
    let text = text.trim().chars().filter(|char| !char.is_control());
    let text: String = text.take(LONGEST_TEXT).collect();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_named_as_an_entity_tag() {
        for (value, wanted) in
            [("\"7\"", Some(7)), ("7", None), ("*", None), ("W/\"7\"", None), ("\"x\"", None)]
        {
            let headers = [(header::IF_MATCH, HeaderValue::from_static(value))];
            assert_eq!(if_match(&headers.into_iter().collect()), wanted, "{value}");
        }
    }

    #[test]
    fn a_weaker_configuration_needs_a_reason() {
        for (query, wanted) in [
            ("weaker=an%20outage%2Fnight", Some("an outage/night")),
            ("a=b&weaker=x", Some("x")),
            ("weaker=", None),
            ("weaker=%20", None),
            ("weaker", None),
            ("", None),
        ] {
            assert_eq!(of_query(query, "weaker").as_deref(), wanted, "{query}");
        }
    }
}
