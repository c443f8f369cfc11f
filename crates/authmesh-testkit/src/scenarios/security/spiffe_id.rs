//! Cases of SPIFFE IDs: which are valid, and their parts.

use authmesh_logic::identity::SpiffeId;
use serde::Deserialize;
use serde_json::Value;

use super::judged;
use crate::scenarios::Verdict;

type Case = super::Case<Input, Expected>;

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Input {
    String { value: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    /// What the standard says.
    spec: judged::Spec,
    authmesh_strict: judged::Strict,
    trust_domain: Option<String>,
    path: Option<String>,
    #[serde(rename = "notes")]
    _notes: Option<String>,
}

/// Runs one case.
pub(super) fn run(case: &Value, _meta: &Value) -> Verdict {
    let Case { input: Input::String { value }, expect, .. } =
        match serde_json::from_value(case.clone()) {
            Ok(case) => case,
            Err(error) => return Verdict::Unsupported(error.to_string()),
        };
    let found = value.parse::<SpiffeId>();
    if let Err(verdict) = judged::check(expect.authmesh_strict, expect.spec, found.is_ok()) {
        return verdict;
    }
    let parts = found.as_ref().ok();
    let domain = parts.map(SpiffeId::trust_domain);
    let path = parts.map(SpiffeId::path);
    for (what, expected, found) in
        [("trust_domain", &expect.trust_domain, domain), ("path", &expect.path, path)]
    {
        if expected.is_some() && expected.as_deref() != found {
            return Verdict::Failed(format!("{what}: expected {expected:?}, got {found:?}"));
        }
    }
    Verdict::Passed
}
