//! Cases of health checks: results in a row, and what is concluded after each.

use authmesh_logic::Moment;
use authmesh_logic::health::{
    Check, CheckFailure, CheckResult, EjectOnFirst, Policy, Tracker, Verdict as Health,
};
use serde::Deserialize;
use serde_json::Value;

use super::Verdict;

/// Runs one case.
pub(super) fn run(case: &Value) -> Verdict {
    let word = |key: &str| case.get(key).and_then(Value::as_str).unwrap_or("none");
    let played = match (word("area"), word("model")) {
        ("health.threshold", "haproxy") => read(case).and_then(|case| rise_and_fall(&case)),
        ("health.threshold", "envoy") => read(case).and_then(|case| thresholds(&case)),
        (area, model) => Err(unsupported(format!("`{area}` of `{model}` is not decided here"))),
    };
    played.err().unwrap_or(Verdict::Passed)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the first ones are for people")]
struct Case<Config, Initial, Step> {
    id: String,
    area: String,
    model: String,
    title: Option<Value>,
    source: Option<Value>,
    evidence: Option<Value>,
    note: Option<Value>,
    /// What the other program wrote down, and when: what is concluded stands in the steps.
    event: Option<Value>,
    flags: Option<Value>,
    timing: Option<Value>,
    config: Config,
    initial: Initial,
    steps: Vec<Step>,
}

/// One counter that runs from 0 to rise + fall - 1.
type RiseAndFall = Case<RiseAndFallConfig, Counted, CountedStep>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RiseAndFallConfig {
    rise: u32,
    fall: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Counted {
    health: u32,
    state: UpOrDown,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CountedStep {
    result: PassOrFail,
    health: u32,
    state: UpOrDown,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
enum UpOrDown {
    Up,
    Down,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum PassOrFail {
    Pass,
    Fail,
}

fn rise_and_fall(case: &RiseAndFall) -> Result<(), Verdict> {
    let policy = policy(case.config.rise, case.config.fall);
    let mut tracker = match case.initial.state {
        UpOrDown::Up => Tracker::healthy(&policy, Moment::START),
        UpOrDown::Down => fallen(&policy),
    };
    if tracker.counter() != case.initial.health {
        return Err(unsupported("it begins in the middle of a change".to_owned()));
    }
    for (number, step) in case.steps.iter().enumerate() {
        let result = match step.result {
            PassOrFail::Pass => CheckResult::Pass,
            PassOrFail::Fail => CheckResult::Fail(CheckFailure::Timeout),
        };
        tracker.observe(&policy, result, Moment::START);
        let state = match tracker.verdict().is_usable() {
            true => UpOrDown::Up,
            false => UpOrDown::Down,
        };
        compare(number, (step.health, step.state), (tracker.counter(), state))?;
    }
    Ok(())
}

/// So many good or bad answers in a row change the state.
type Thresholds = Case<ThresholdsConfig, Began, ThresholdsStep>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the times are how often it was checked, not what is concluded")]
struct ThresholdsConfig {
    interval_ms: Option<u64>,
    timeout_ms: Option<u64>,
    healthy_threshold: u32,
    unhealthy_threshold: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Began {
    state: State,
    #[serde(default)]
    pending: bool,
    first_check: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ThresholdsStep {
    result: Answer,
    state: State,
    transition: Change,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum State {
    Healthy,
    Unhealthy,
}

/// `ok`, `timeout`, or `http:` and the status of an answer that is not expected.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct Answer(CheckResult);

impl TryFrom<String> for Answer {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        let status = || word.strip_prefix("http:")?.parse().ok();
        match word.as_str() {
            "ok" => Ok(Self(CheckResult::Pass)),
            "timeout" => Ok(Self(CheckResult::Fail(CheckFailure::Timeout))),
            _ => status()
                .map(|status| Self(CheckResult::Fail(CheckFailure::Status(status))))
                .ok_or_else(|| format!("a result `{word}` is not understood")),
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Change {
    Changed,
    /// The last answer speaks against the state, and is not enough.
    Pending,
    Unchanged,
}

fn thresholds(case: &Thresholds) -> Result<(), Verdict> {
    // A bad status is believed at once there.
    let eject_on_first = EjectOnFirst { status: true, ..EjectOnFirst::NEVER };
    let policy = policy(case.config.healthy_threshold, case.config.unhealthy_threshold);
    let policy = Policy { eject_on_first, ..policy };
    let Began { state, pending, first_check } = case.initial;
    let mut tracker = match (state, pending, first_check) {
        (State::Healthy, false, None | Some(false)) => Tracker::healthy(&policy, Moment::START),
        (State::Unhealthy, false, None | Some(false)) => fallen(&policy),
        (State::Unhealthy, _, Some(true)) => Tracker::unknown(&policy, Moment::START),
        _ => return Err(unsupported("it begins in the middle of a change".to_owned())),
    };
    for (number, step) in case.steps.iter().enumerate() {
        let Answer(result) = step.result;
        let changed = tracker.observe(&policy, result, Moment::START);
        let state = match tracker.verdict() {
            Health::Healthy => State::Healthy,
            Health::Unknown | Health::Unhealthy => State::Unhealthy,
        };
        let speaks_against =
            (tracker.verdict() == Health::Healthy) != (result == CheckResult::Pass);
        let change = match changed {
            Some(_) => Change::Changed,
            None if speaks_against => Change::Pending,
            None => Change::Unchanged,
        };
        compare(number, (step.state, step.transition), (state, change))?;
    }
    Ok(())
}

fn policy(rise: u32, fall: u32) -> Policy {
    Policy { rise, fall, ..Policy::of(Check::Tcp) }
}

/// An instance whose first check failed.
fn fallen(policy: &Policy) -> Tracker {
    let mut tracker = Tracker::unknown(policy, Moment::START);
    tracker.observe(policy, CheckResult::Fail(CheckFailure::Timeout), Moment::START);
    tracker
}

fn read<'de, T: Deserialize<'de>>(case: &'de Value) -> Result<T, Verdict> {
    T::deserialize(case).map_err(|error| unsupported(error.to_string()))
}

fn compare<T: Copy + PartialEq + std::fmt::Debug>(
    number: usize,
    expected: T,
    found: T,
) -> Result<(), Verdict> {
    match expected == found {
        true => Ok(()),
        false => {
            let what = format!("step {number}, expected {expected:?}, got {found:?}");
            Err(Verdict::Failed(what))
        }
    }
}

const fn unsupported(why: String) -> Verdict {
    Verdict::Unsupported(why)
}
