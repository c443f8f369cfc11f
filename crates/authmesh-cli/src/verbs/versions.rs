//! `versions`: the configurations that were in force.

use crate::admin_client::AdminClient;
use crate::arguments::Asking;
use crate::ending::{Ending, Failure};
use crate::{print, show};

/// Lists them, the newest first.
pub(crate) async fn versions(asking: &Asking) -> Result<Ending, Failure> {
    let answer = AdminClient::new(asking)?.read("/v1/config/versions").await?;
    print::asked(&match asking.output.is_json() {
        true => answer.to_string(),
        false => show::versions(&answer),
    });
    Ok(Ending::Done)
}
