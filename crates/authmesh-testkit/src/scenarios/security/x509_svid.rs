//! Cases of X.509-SVIDs: chains of certificates, and whether they prove who shows them.

use std::collections::BTreeMap;
use std::time::Duration;

use authmesh::identity::{
    Peer, RevocationLists, RevocationMode, Role, SvidFault, Trust, TrustBundle,
    certificates_from_pem,
};
use serde::Deserialize;
use serde_json::Value;

use super::judged;
use crate::scenarios::Verdict;

/// When the chains are looked at, in time since 1970: early in 2027. Those that are no cases of age
/// hold from 2020 to 2120.
const NOW: Duration = Duration::from_secs(1_800_000_000);

type Case = super::Case<Input, Expected>;

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Input {
    X509ChainPem {
        chain: Vec<String>,
        trust_bundle: String,
        #[serde(default)]
        crls: Option<Vec<String>>,
        #[serde(default)]
        crl_mode: Option<Mode>,
        #[serde(rename = "role", default)]
        _role: Option<AsPeer>,
    },
}

#[derive(Deserialize)]
enum AsPeer {
    #[serde(rename = "peer leaf")]
    PeerLeaf,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    Require,
    Warn,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    spec: judged::Spec,
    authmesh_strict: judged::Strict,
    /// The word of the fault; empty if there is none.
    reason: Option<String>,
    spiffe_id: Option<String>,
    #[serde(rename = "notes")]
    _notes: Option<String>,
}

/// Runs one case.
pub(super) fn run(case: &Value, meta: &Value) -> Verdict {
    let Case { input, expect, .. } = match serde_json::from_value(case.clone()) {
        Ok(case) => case,
        Err(error) => return Verdict::Unsupported(error.to_string()),
    };
    let found = match verified(&input, meta) {
        Ok(found) => found,
        Err(why) => return Verdict::Unsupported(why),
    };
    if let Err(verdict) = judged::check(expect.authmesh_strict, expect.spec, found.is_ok()) {
        return verdict;
    }
    let reason = found.as_ref().err().map_or("", |fault| fault.word());
    if let Some(expected) = expect.reason.filter(|expected| expected != reason) {
        return Verdict::Failed(format!("reason: expected {expected:?}, got {reason:?}"));
    }
    let id = found.as_ref().ok().map(|peer| peer.id.as_str());
    if expect.spiffe_id.is_some() && expect.spiffe_id.as_deref() != id {
        return Verdict::Failed(format!("spiffe_id: expected {:?}, got {id:?}", expect.spiffe_id));
    }
    Verdict::Passed
}

fn verified(input: &Input, meta: &Value) -> Result<Result<Peer, SvidFault>, String> {
    let Input::X509ChainPem { chain, trust_bundle, crls, crl_mode, .. } = input;
    let mut trust = Trust::new();
    for (domain, bundle) in bundles(meta)? {
        let domain = domain.parse().map_err(|error| format!("trust domain {domain}: {error}"))?;
        let bundle = TrustBundle::from_pem(bundle.concat().as_bytes());
        trust = trust.with(domain, bundle.map_err(|error| format!("a bundle: {error}"))?);
    }
    if crls.is_some() || crl_mode.is_some() {
        let mode = match crl_mode {
            Some(Mode::Warn) => RevocationMode::Warn,
            Some(Mode::Require) | None => RevocationMode::Require,
        };
        let texts = crls.as_deref().unwrap_or_default();
        trust = trust.with_revocation(match texts {
            [] => RevocationLists::none(mode),
            texts => RevocationLists::from_pem(texts.concat().as_bytes(), mode)
                .map_err(|error| format!("the revocation lists: {error}"))?,
        });
    }
    let chain = match &chain[..] {
        [] => Vec::new(),
        texts => certificates_from_pem(texts.concat().as_bytes())
            .map_err(|error| format!("the chain: {error}"))?,
    };
    Ok(trust.verify(&chain, Some(trust_bundle), Role::Client, NOW))
}

fn bundles(meta: &Value) -> Result<BTreeMap<String, Vec<String>>, String> {
    let bundles = meta.get("trust_bundles").cloned().unwrap_or_default();
    serde_json::from_value(bundles).map_err(|error| format!("meta.trust_bundles: {error}"))
}
