//! `rollback`: puts an earlier configuration in force again.

use http::StatusCode;
use serde_json::{Value, json};

use crate::admin_client::{AdminClient, refusal};
use crate::arguments::Rollback;
use crate::ending::{Ending, Failure};
use crate::print;

/// Puts the version in force. The file is not touched: the next reload takes it again.
pub(crate) async fn rollback(rollback: &Rollback) -> Result<Ending, Failure> {
    let client = AdminClient::new(&rollback.asking)?;
    let listed = client.read("/v1/config/versions").await?;
    let versions = listed["versions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let in_force = versions.iter().find(|version| version["in_force"] == true);
    let in_force = in_force.and_then(|version| version["version"].as_u64()).unwrap_or_default();
    let wanted = rollback.version.or_else(|| before(versions, in_force));
    let Some(wanted) = wanted else {
        return Err(Failure::new(Ending::No, "there is no version before the one in force"));
    };
    if wanted == in_force {
        if rollback.asking.output.is_json() {
            print::asked(&json!({ "version": in_force, "changes": [] }).to_string());
        }
        print::words(&format!("version {wanted} is in force already"));
        return Ok(Ending::Done);
    }
    let version = client.read(&format!("/v1/config/versions/{wanted}")).await?;
    let text = version["text"].as_str().unwrap_or_default().to_owned();
    let name = format!("rollback to version {wanted}");
    let mut query = vec![("name", name.as_str())];
    query.extend(rollback.weaker.as_deref().map(|why| ("weaker", why)));
    let answer = client.put_config(in_force, &query, text).await?;
    if rollback.asking.output.is_json() {
        print::asked(&answer.value.to_string());
    }
    let message = answer.value["message"].as_str().unwrap_or_default();
    match answer.status {
        StatusCode::OK => {
            print::words_if_any(message);
            let number = &answer.value["version"];
            print::words(&format!("version {wanted} is in force again, as version {number}"));
            print::words("the file is as it was: mend it before the next reload");
            Ok(Ending::Done)
        }
        StatusCode::UNPROCESSABLE_ENTITY => {
            print::words(message);
            print::words("the configuration in force stays");
            print::words("  = help: `--weaker WHY` takes one that protects less");
            Ok(Ending::BadInput)
        }
        _ => Err(refusal(&answer)),
    }
}

/// The newest version older than the one in force.
fn before(versions: &[Value], in_force: u64) -> Option<u64> {
    let numbers = versions.iter().filter_map(|version| version["version"].as_u64());
    numbers.filter(|number| *number < in_force).max()
}
