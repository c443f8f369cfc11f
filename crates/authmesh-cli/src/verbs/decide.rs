//! `drain`, `undrain`, `quarantine`, `weight`: what an operator decides about an instance.

use http::{Method, StatusCode};
use serde_json::json;

use crate::admin_client::{AdminClient, instance_path, refusal};
use crate::arguments::{Asking, Named, Weight};
use crate::ending::{Ending, Failure};
use crate::print;

/// Decides whether an instance takes requests.
pub(crate) async fn decide(named: &Named, verb: &str) -> Result<Ending, Failure> {
    let path = format!("{}/{verb}", instance_path(&named.service, &named.instance));
    tell(&named.asking, &path, String::new()).await
}

/// Decides an instance's share.
pub(crate) async fn weigh(weight: &Weight) -> Result<Ending, Failure> {
    let path = format!("{}/weight", instance_path(&weight.service, &weight.instance));
    tell(&weight.asking, &path, json!({ "weight": weight.shares.0 }).to_string()).await
}

async fn tell(asking: &Asking, path: &str, body: String) -> Result<Ending, Failure> {
    let answer = AdminClient::new(asking)?.ask(Method::POST, path, body).await?;
    if answer.status != StatusCode::OK {
        return Err(refusal(&answer));
    }
    if asking.output.is_json() {
        print::asked(&answer.value.to_string());
    }
    print::words("done");
    Ok(Ending::Done)
}
