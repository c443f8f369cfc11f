//! Cases of outlier ejection, throttles and limiters, one file for each kind.

mod limiter;

mod math;

mod outlier;

mod throttle;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Verdict;

/// Runs one case.
pub(super) fn run(case: &Value) -> Verdict {
    let played = match case.get("kind").and_then(Value::as_str) {
        Some("outlier") => read(case).and_then(|case| outlier::play(&case)),
        Some("throttle") => read(case).and_then(|case| throttle::play(&case)),
        Some("limiter") => read(case).and_then(|case| limiter::play(&case)),
        Some("math") => read(case).and_then(|case| math::play(&case)),
        other => Err(unsupported(&format!("the kind {other:?}"))),
    };
    match played {
        Ok(0) => unsupported("nothing is expected"),
        Ok(_) => Verdict::Passed,
        Err(verdict) => verdict,
    }
}

/// How many values were compared, or how the case ended.
type Played = Result<usize, Verdict>;

/// A case with its configuration and steps; whatever else it says is not understood.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the first four are for people")]
struct Case<C, S> {
    name: String,
    kind: String,
    source: Option<Value>,
    note: Option<Value>,
    config: C,
    steps: Vec<S>,
}

fn read<C, S>(case: &Value) -> Result<Case<C, S>, Verdict>
where
    C: DeserializeOwned,
    S: DeserializeOwned,
{
    serde_json::from_value(case.clone()).map_err(|error| Verdict::Unsupported(error.to_string()))
}

fn unsupported(what: &str) -> Verdict {
    Verdict::Unsupported(what.to_owned())
}

/// Compares a number written with six digits or more.
fn compare_numbers(step: usize, what: &str, expected: f64, got: f64) -> Played {
    if (expected - got).abs() <= 1e-6 {
        return Ok(1);
    }
    Err(Verdict::Failed(format!("step {step}, {what}: expected {expected}, got {got}")))
}

fn compare<T>(step: usize, what: &str, expected: &T, got: &T) -> Played
where
    T: PartialEq + std::fmt::Debug,
{
    if expected == got {
        return Ok(1);
    }
    Err(Verdict::Failed(format!("step {step}, {what}: expected {expected:?}, got {got:?}")))
}
