//! Cases of paths: how a request is answered under rules about paths, and the form they are compared
//! in.

use authmesh_logic::hygiene::path::normalise;
use http::Uri;
use serde::Deserialize;
use serde_json::Value;

use super::live::{Live, Silence};
use super::{OK, played};
use crate::scenarios::Verdict;

/// Runs one case.
pub(super) fn run(case: &Value, _meta: &Value) -> Verdict {
    played(case, Case::play)
}

type Case = super::Case<Input, Expect>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    #[serde(rename = "kind")]
    _kind: Target,
    raw: String,
    #[serde(rename = "policy")]
    _policy: Policy,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "what is for people")]
struct Expect {
    authmesh_strict: Strict,
    normal_form: Option<String>,
    #[serde(rename = "istio_default_BASE")]
    istio: Value,
    notes: Value,
}

#[derive(Deserialize)]
enum Target {
    #[serde(rename = "request_target")]
    Ours,
}

#[derive(Deserialize)]
enum Policy {
    #[serde(rename = "DENY paths /admin and /admin/** ; ALLOW everything else")]
    Admin,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Strict {
    Allow,
    #[serde(rename = "deny_403")]
    Deny,
    #[serde(rename = "reject_400")]
    Malformed,
    #[serde(rename = "reject_414")]
    TooLong,
}

/// The one policy of these cases.
const POLICY: &str = "[[policy]]\nname = \"admin\"\naction = \"deny\"\n\
                      paths = [\"/admin\", \"/admin/**\"]\n";

impl Strict {
    const fn status(self) -> u16 {
        match self {
            Self::Allow => 200,
            Self::Deny => 403,
            Self::Malformed => 400,
            Self::TooLong => 414,
        }
    }
}

impl Case {
    async fn play(self) -> Result<(), Verdict> {
        let Expect { authmesh_strict: strict, normal_form, .. } = &self.expect;
        let live = Live::start(OK.into(), POLICY).await.map_err(Verdict::Unsupported)?;
        let mut client =
            live.connect().await.map_err(|error| Verdict::Failed(error.to_string()))?;
        let raw = &self.input.raw;
        client.send(format!("GET {raw} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).await;
        let answer = client.answer_or(Silence::EndsClient).await;
        let status = answer.map(|answer| answer.status);
        if status != Some(strict.status()) {
            return Err(Verdict::Failed(format!("expected {}, got {status:?}", strict.status())));
        }
        let Some(wanted) = normal_form else { return Ok(()) };
        let form = match live.requests().first() {
            Some(request) => request.split([' ', '?']).nth(1).map(str::to_owned),
            None => raw
                .parse::<Uri>()
                .ok()
                .and_then(|target| normalise(target.path()).ok().map(std::borrow::Cow::into_owned)),
        };
        if form.as_deref().map(upper_triplets) != Some(upper_triplets(wanted)) {
            return Err(Verdict::Failed(format!("expected the form {wanted}, got {form:?}")));
        }
        Ok(())
    }
}

/// The same path: triplets that differ by case alone do not differ (RFC 3986 §6.2.2.1).
fn upper_triplets(path: &str) -> String {
    let mut left = 0;
    path.chars()
        .map(|character| {
            left = if character == '%' { 3 } else { left };
            left = i32::max(left - 1, -1);
            if left >= 0 { character.to_ascii_uppercase() } else { character }
        })
        .collect()
}
