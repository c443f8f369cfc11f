//! `explain access`: whether a request may pass, which policy decides, and where that is written.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::admin_client::{AdminClient, refusal};
use crate::arguments::Access;
use crate::ending::{Ending, Failure};
use crate::{print, show};

/// Asks the running mesh. The answer is yes if the request may pass.
pub(crate) async fn access(access: &Access) -> Result<Ending, Failure> {
    let question = json!({ "access": written(access)? }).to_string();
    let client = AdminClient::new(&access.asking)?;
    let answer = client.ask(Method::POST, "/v1/explain", question).await?;
    match answer.status {
        StatusCode::OK => {}
        StatusCode::BAD_REQUEST => {
            return Err(Failure::bad_input(answer.value["message"].as_str().unwrap_or_default()));
        }
        _ => return Err(refusal(&answer)),
    }
    let text = match access.asking.output.is_json() {
        true => answer.value.to_string(),
        false => show::access(&answer.value),
    };
    print::asked(&text);
    Ok(if answer.value["allowed"] == true { Ending::Done } else { Ending::No })
}

/// The request as the door reads it.
fn written(access: &Access) -> Result<Value, Failure> {
    let mut headers = serde_json::Map::new();
    for field in &access.header {
        let Some((name, value)) = field.split_once(':') else {
            return Err(Failure::bad_input(format!("`{field}` is not `name: value`")));
        };
        headers.insert(name.trim().to_owned(), value.trim().into());
    }
    let mut claims: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for claim in &access.claim {
        let Some((name, value)) = claim.split_once('=') else {
            return Err(Failure::bad_input(format!("`{claim}` is not `name=value`")));
        };
        claims.entry(name).or_default().push(value);
    }
    Ok(json!({
        "service": access.service,
        "request": access.request,
        "from": access.from,
        "address": access.address,
        "remote_address": access.remote_address,
        "host": access.host,
        "port": access.port,
        "headers": headers,
        "jwt": access.jwt,
        "claims": claims,
    }))
}
