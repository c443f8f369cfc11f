//! Cases of tokens: really signed ones, keys and a time, and whether they are believed.

use std::time::Duration;

use authmesh::jwt::{Algorithm, KeySet, NumericDate, TokenClaims, TokenFault, TokenPolicy, bearer};
use authmesh_logic::authorization::WrittenFields;
use serde::Deserialize;
use serde_json::Value;

use super::judged;
use crate::scenarios::Verdict;

type Case = super::Case<Input, Expected>;

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Input {
    Jwt {
        token: String,
        jwks: Value,
        now: u64,
        config_overrides: Settings,
    },
    HttpHeaders {
        headers: Vec<(String, String)>,
        /// Never looked at: tokens are found in one field alone.
        #[serde(rename = "query")]
        _query: String,
        jwks: Value,
        now: u64,
        config_overrides: Settings,
    },
}

/// What a provider is told; in a case, what differs from the file's defaults.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    issuer: Option<String>,
    audiences: Option<Vec<String>>,
    algorithms: Option<Vec<String>>,
    leeway_s: Option<u64>,
    max_lifetime_s: Option<u64>,
    max_token_bytes: Option<usize>,
    typ: Option<Vec<String>>,
    require: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    spec: judged::Spec,
    authmesh_strict: judged::Strict,
    http_status: u16,
    /// The word of the fault; empty if there is none.
    reason: String,
    #[serde(rename = "notes")]
    _notes: String,
}

/// Claims without which no token is believed, whatever a case says.
const REQUIRED: [&str; 4] = ["aud", "exp", "iss", "sub"];

/// The status of an answer to a request that is let through to a service which serves it.
const SERVED: u16 = 200;

/// Runs one case.
pub(super) fn run(case: &Value, meta: &Value) -> Verdict {
    let Case { input, expect, .. } = match serde_json::from_value(case.clone()) {
        Ok(case) => case,
        Err(error) => return Verdict::Unsupported(error.to_string()),
    };
    let found = match judged(input, &meta["jwt"]) {
        Ok(found) => found,
        Err(why) => return Verdict::Unsupported(why),
    };
    if let Err(verdict) = judged::check(expect.authmesh_strict, expect.spec, found.is_ok()) {
        return verdict;
    }
    let fault = found.err();
    let reason = fault.map_or("", TokenFault::word);
    if reason != expect.reason {
        return Verdict::Failed(format!("reason: expected {:?}, got {reason:?}", expect.reason));
    }
    let status = fault.map_or(SERVED, TokenFault::status);
    if status != expect.http_status {
        return Verdict::Failed(format!("status: expected {}, got {status}", expect.http_status));
    }
    Verdict::Passed
}

fn judged(input: Input, meta: &Value) -> Result<Result<TokenClaims, TokenFault>, String> {
    let (token, jwks, now, settings) = match input {
        Input::Jwt { token, jwks, now, config_overrides } => {
            (Ok(token), jwks, now, config_overrides)
        }
        Input::HttpHeaders { headers, jwks, now, config_overrides, .. } => {
            let lower = headers.iter().map(|(name, value)| {
                (name.to_ascii_lowercase().into_boxed_str(), value.as_str().into())
            });
            let fields = WrittenFields(lower.collect());
            (bearer(&fields).map(str::to_owned), jwks, now, config_overrides)
        }
    };
    let defaults = Settings::deserialize(&meta["default_config"]);
    let policy = policy(settings, defaults.map_err(|error| error.to_string())?)?;
    let document = match &jwks {
        Value::String(name) => &meta[name.to_ascii_lowercase()],
        other => other,
    };
    let keys = KeySet::from_json(document.to_string().as_bytes(), &policy);
    let keys = keys.map_err(|fault| fault.to_string())?;
    let now = NumericDate::since_1970(Duration::from_secs(now));
    Ok(token.and_then(|token| keys.verify(&token, &policy, now)))
}

fn policy(case: Settings, file: Settings) -> Result<TokenPolicy, String> {
    let mut required = case.require.or(file.require).unwrap_or_default();
    required.sort();
    if required != REQUIRED {
        return Err(format!("{REQUIRED:?} are required always, and no other claim is"));
    }
    let boxed = |texts: Vec<String>| texts.into_iter().map(Into::into).collect();
    let algorithms = case.algorithms.or(file.algorithms).unwrap_or_default();
    let issuer = case.issuer.or(file.issuer).unwrap_or_default();
    let defaults = TokenPolicy::new(&issuer, &[]);
    let seconds = |own: Option<u64>, other| own.or(other).map(Duration::from_secs);
    Ok(TokenPolicy {
        audiences: case.audiences.or(file.audiences).map(boxed).unwrap_or_default(),
        // A name that stands for no algorithm allows nothing; the file refuses it.
        algorithms: algorithms.iter().filter_map(|word| Algorithm::named(word)).collect(),
        types: case.typ.or(file.typ).map_or(defaults.types, boxed),
        leeway: seconds(case.leeway_s, file.leeway_s).unwrap_or(defaults.leeway),
        longest_lifetime: seconds(case.max_lifetime_s, file.max_lifetime_s),
        longest: case.max_token_bytes.or(file.max_token_bytes).unwrap_or(defaults.longest),
        issuer: defaults.issuer,
    })
}
