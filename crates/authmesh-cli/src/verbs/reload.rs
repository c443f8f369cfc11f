//! `reload`: lets the running mesh read its file again.

use http::{Method, StatusCode};

use crate::admin_client::{AdminClient, refusal};
use crate::arguments::Asking;
use crate::ending::{Ending, Failure};
use crate::print;

/// Asks for the reload and tells how it ended. A file with faults is bad input.
pub(crate) async fn reload(asking: &Asking) -> Result<Ending, Failure> {
    let answer = AdminClient::new(asking)?.ask(Method::POST, "/v1/reload", "").await?;
    if asking.output.is_json() {
        print::asked(&answer.value.to_string());
    }
    let message = answer.value["message"].as_str().unwrap_or_default();
    match answer.status {
        StatusCode::OK => {
            print::words_if_any(message);
            print::words("the file was read again and is in force");
            Ok(Ending::Done)
        }
        StatusCode::UNPROCESSABLE_ENTITY => {
            print::words(message);
            print::words("the configuration in force stays");
            Ok(Ending::BadInput)
        }
        StatusCode::ACCEPTED => {
            print::words(message);
            Ok(Ending::No)
        }
        _ => Err(refusal(&answer)),
    }
}
