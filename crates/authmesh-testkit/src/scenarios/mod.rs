//! Runs language-neutral cases against the public face of Authmesh, and says what differed.
//!
//! Nothing is computed here: a case is translated into calls, and each expectation is compared with
//! what a public function returned. Adding a topic is adding a file and its line in [`run`].

mod circuit_breaker;
mod discovery;
mod health;
mod load_balancer;
mod outlier_and_throttle;
mod security;

use serde_json::Value;

/// How one case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every expectation was compared and met.
    Passed,
    /// An expectation was not met: which step, what was expected, what came.
    Failed(String),
    /// It says something that cannot be expressed here, and what.
    Unsupported(String),
}

/// One case and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The case's name or id.
    pub name: String,
    /// How it ended.
    pub verdict: Verdict,
}

/// The topics, each with a file of this name among the cases.
pub const TOPICS: [&str; 6] =
    ["circuit_breaker", "outlier_and_throttle", "load_balancer", "discovery", "health", "security"];

/// Runs the cases of one file, only those of `groups` unless it is empty. `None` if the topic is
/// unknown or the file holds no list of cases.
#[must_use]
pub fn run(topic: &str, file: &Value, groups: &[&str]) -> Option<Vec<Report>> {
    if !TOPICS.contains(&topic) {
        return None;
    }
    let cases = file.as_array().or_else(|| file.get("cases")?.as_array())?;
    let reports = cases.iter().filter(|case| is_of(case, groups)).map(|case| Report {
        name: name(case),
        verdict: match topic {
            "circuit_breaker" => circuit_breaker::run(case),
            "security" => security::run(case, file.get("meta").unwrap_or(&Value::Null)),
            "outlier_and_throttle" => outlier_and_throttle::run(case),
            "load_balancer" => load_balancer::run(case),
            "discovery" => discovery::run(case),
            "health" => health::run(case),
            _ => Verdict::Unsupported("this topic is not expressed yet".to_owned()),
        },
    });
    Some(reports.collect())
}

fn is_of(case: &Value, groups: &[&str]) -> bool {
    let named = ["group", "kind", "area"].iter().filter_map(|key| case.get(key)?.as_str());
    groups.is_empty() || named.into_iter().any(|group| groups.contains(&group))
}

fn name(case: &Value) -> String {
    let name = case.get("name").or_else(|| case.get("id")).and_then(Value::as_str);
    name.unwrap_or("without a name").to_owned()
}
