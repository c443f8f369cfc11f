//! `breaker force-open`, `disable`, `shadow`, `reset`: what an operator tells a breaker.

use http::{Method, StatusCode};
use serde_json::json;

use crate::admin_client::{AdminClient, breaker_path, refusal};
use crate::arguments::BreakerCommand;
use crate::ending::{Ending, Failure};
use crate::{print, show};

/// Tells the breaker, and shows what it is now.
pub(crate) async fn command(told: &BreakerCommand, word: &str) -> Result<Ending, Failure> {
    let for_ms = told.lasts.map(|lasts| u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX));
    let mut body = json!({ "command": word, "why": told.why });
    match for_ms {
        // A reset is done at once.
        Some(_) if word == "reset" => print::words("`--for` changes nothing for a reset"),
        Some(for_ms) => body["for_ms"] = for_ms.into(),
        None => {}
    }
    let client = AdminClient::new(&told.asking)?;
    let answer = client.ask(Method::POST, &breaker_path(&told.key), body.to_string()).await?;
    match answer.status {
        StatusCode::OK => {}
        StatusCode::BAD_REQUEST => {
            let message = answer.value["message"].as_str().unwrap_or("the mesh refused");
            return Err(Failure::bad_input(message));
        }
        _ => return Err(refusal(&answer)),
    }
    let text = match told.asking.output.is_json() {
        true => answer.value.to_string(),
        false => show::breakers(&json!({ "breakers": [answer.value["breaker"]] })),
    };
    print::asked(&text);
    print::words("done");
    Ok(Ending::Done)
}
