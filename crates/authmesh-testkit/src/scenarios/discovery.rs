//! Cases of discovery: who may take back what somebody else has said since.

use std::collections::BTreeMap;

use authmesh_logic::Moment;
use authmesh_logic::discovery::registry::{
    DEFAULT_TTL, LeaseNumber, Limits, Records, Refusal, Registrant,
};
use authmesh_logic::discovery::{Instance, ServiceName};
use serde::Deserialize;
use serde_json::Value;

use super::Verdict;

/// Runs one case.
pub(super) fn run(case: &Value) -> Verdict {
    let area = case.get("area").and_then(Value::as_str).unwrap_or("none");
    if area != "discovery.identity" {
        return Verdict::Unsupported(format!("area `{area}` is not decided here"));
    }
    match serde_json::from_value::<Case>(case.clone()) {
        Ok(case) => play(&case.steps).err().unwrap_or(Verdict::Passed),
        Err(error) => Verdict::Unsupported(error.to_string()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "all but the steps are for people")]
struct Case {
    id: String,
    area: String,
    model: Option<Value>,
    title: Option<Value>,
    source: Option<Value>,
    evidence: Option<Value>,
    note: Option<Value>,
    steps: Vec<Step>,
}

/// A workload connects (`t2 on B`: its second connection, at B), or an earlier connection of it
/// ends (`of t1 on A`).
#[derive(Deserialize)]
#[serde(deny_unknown_fields, untagged)]
enum Step {
    Connect { connect: String },
    Disconnect { disconnect: String, effect: String },
}

/// Each connection is a registration of the same instance; its end gives back that one's lease.
fn play(steps: &[Step]) -> Result<(), Verdict> {
    let mut records = Records::new(Limits::STANDARD, 0);
    let mut leases: BTreeMap<&str, LeaseNumber> = BTreeMap::new();
    let unclear = |text: &str| Verdict::Unsupported(format!("`{text}` names no connection"));
    let service: ServiceName = "token".parse().map_err(|_| unclear("token"))?;
    let address = "127.0.0.1:80".parse().map_err(|_| unclear("127.0.0.1:80"))?;
    let facts = Instance::at(address);
    for (number, step) in steps.iter().enumerate() {
        match step {
            Step::Connect { connect } => {
                let (name, _) = connect.split_once(" on ").ok_or_else(|| unclear(connect))?;
                let by = &Registrant::Program;
                let granted =
                    records.register(by, &service, facts.clone(), DEFAULT_TTL, Moment::START);
                let granted = granted
                    .map_err(|refusal| Verdict::Failed(format!("step {number}: {refusal}")))?;
                leases.insert(name, granted.lease);
            }
            Step::Disconnect { disconnect, effect } => {
                let name = disconnect.strip_prefix("of ").and_then(|rest| rest.split_once(" on "));
                let lease = name.and_then(|(name, _)| leases.get(name));
                let lease = *lease.ok_or_else(|| unclear(disconnect))?;
                let by = &Registrant::Program;
                let found = match records.deregister(by, &service, &facts.id, Some(lease)) {
                    Ok(_) => "applied",
                    Err(Refusal::LeaseLost) => "ignored",
                    Err(_) => "refused",
                };
                // What stands behind the first word is said to people.
                let expected = effect.split(' ').next().unwrap_or_default();
                if found != expected {
                    let what = format!("step {number}, expected {expected}, got {found}");
                    return Err(Verdict::Failed(what));
                }
            }
        }
    }
    Ok(())
}
