//! `status`, `services`, `instances`, `breaker list`: what a running mesh says of itself.

use serde_json::{Value, json};

use crate::admin_client::{AdminClient, service_path};
use crate::arguments::{Asking, Instances};
use crate::ending::{Ending, Failure};
use crate::{print, show};

/// Shows every state. The answer is yes if the mesh is ready.
pub(crate) async fn status(asking: &Asking) -> Result<Ending, Failure> {
    let report = AdminClient::new(asking)?.read("/v1/status").await?;
    tell(asking, &report, show::status);
    Ok(if report["ready"] == true { Ending::Done } else { Ending::No })
}

/// Shows the services.
pub(crate) async fn services(asking: &Asking) -> Result<Ending, Failure> {
    let report = AdminClient::new(asking)?.read("/v1/services").await?;
    tell(asking, &report, show::services);
    Ok(Ending::Done)
}

/// Shows the instances of one service, or of all.
pub(crate) async fn instances(instances: &Instances) -> Result<Ending, Failure> {
    let client = AdminClient::new(&instances.asking)?;
    let report = match &instances.service {
        None => client.read("/v1/services").await?,
        Some(name) => {
            let service = client.read(&service_path(name)).await?;
            json!({ "services": [service] })
        }
    };
    let services = report["services"].as_array().map_or(&[][..], Vec::as_slice);
    let listed = json!({
        "services": services.iter().map(|service| json!({
            "name": service["name"],
            "instances": service["instances"],
        })).collect::<Vec<Value>>(),
    });
    tell(&instances.asking, &listed, show::instances);
    Ok(Ending::Done)
}

/// Shows the breakers.
pub(crate) async fn breakers(asking: &Asking) -> Result<Ending, Failure> {
    let report = AdminClient::new(asking)?.read("/v1/breakers").await?;
    tell(asking, &report, show::breakers);
    Ok(Ending::Done)
}

fn tell(asking: &Asking, report: &Value, shown: impl FnOnce(&Value) -> String) {
    let text = if asking.output.is_json() { report.to_string() } else { shown(report) };
    print::asked(&text);
}
