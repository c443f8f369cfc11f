//! Cases of the circuit breaker: calls, commands and time, and what the breaker answers.

use std::collections::BTreeMap;
use std::time::Duration;

use authmesh_logic::circuit_breaker::{
    AdvancedCircuitBreaker, Command, Growth, Jitter, Permit, Policy, RateTrip, SlowTrip, State,
    Wait, Window,
};
use authmesh_logic::outcome::Outcome;
use authmesh_logic::{Dice, Lane, Moment, Ratio};
use serde::Deserialize;
use serde_json::Value;

use super::Verdict;

/// Runs one case.
pub(super) fn run(case: &Value) -> Verdict {
    let case: Case = match serde_json::from_value(case.clone()) {
        Ok(case) => case,
        Err(error) => return Verdict::Unsupported(error.to_string()),
    };
    let played = policy(&case.config).and_then(|policy| {
        let mut play = Play::new(policy, case.config.ignored.unwrap_or(Ignored::Neutral));
        case.steps.iter().enumerate().try_for_each(|(number, step)| play.step(number, step))
    });
    played.err().unwrap_or(Verdict::Passed)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the first three are for people")]
struct Case {
    name: String,
    source: Option<Value>,
    note: Option<Value>,
    config: Config,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    window: WindowConfig,
    trip: Vec<Trip>,
    #[serde(rename = "eval_on")]
    _eval_on: Option<Any>,
    open: Open,
    half_open: HalfOpen,
    #[serde(rename = "stale")]
    _stale: Option<Drop>,
    ignored: Option<Ignored>,
    #[serde(rename = "cancel")]
    _cancel: Option<Neutral>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum WindowConfig {
    Count {
        size: u32,
    },
    Time {
        ms: u64,
        bucket_ms: u64,
        #[serde(rename = "align")]
        _align: Epoch,
    },
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Trip {
    Rate { threshold: f64, min_calls: u32, slow_threshold: Option<f64>, slow_ms: Option<u64> },
    CountOf { failures: u32, min_calls: Option<u32> },
    Consecutive { failures: u32 },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Open {
    wait_ms: u64,
    #[serde(rename = "elapsed_cmp")]
    _elapsed: Option<AtLeast>,
    #[serde(rename = "to_half_open")]
    _to_half_open: Option<OnCall>,
    backoff: Option<Backoff>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Backoff {
    Exponential { multiplier: u32, max_ms: u64 },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HalfOpen {
    permits: u32,
    window: Option<u32>,
    #[serde(rename = "slot_return")]
    _slot_return: Option<NeutralOnly>,
    decide: Decide,
    max_wait_ms: Option<u64>,
    #[serde(rename = "after_max_wait")]
    _after_max_wait: Option<Reopens>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Decide {
    SuccessOf { s: u32, of: u32 },
}

/// Words of which only ours is understood; another makes the case unsupported.
macro_rules! only {
    ($($name:ident = $word:literal),*) => {$(
        #[derive(Deserialize)]
        enum $name { #[serde(rename = $word)] Ours }
    )*};
}
only!(
    Any = "any",
    Drop = "drop",
    Neutral = "neutral",
    Epoch = "epoch",
    AtLeast = ">=",
    OnCall = "on_call",
    NeutralOnly = "neutral_only",
    Reopens = "open"
);

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ignored {
    Neutral,
    Success,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    at_ms: u64,
    call: Option<Call>,
    #[serde(default, deserialize_with = "present")]
    duration_ms: Option<Option<u64>>,
    expect: Option<String>,
    control: Option<Control>,
    arg_ms: Option<u64>,
    expect_error: Option<bool>,
    expect_state: Option<String>,
    expect_counts: Option<BTreeMap<Count, u64>>,
    repeat: Option<u32>,
    every_ms: Option<u64>,
}

/// Tells a duration that is null (never completes) from one that is absent (at once).
fn present<'de, D>(from: D) -> Result<Option<Option<u64>>, D::Error>
where
    D: serde::Deserializer<'de>,
{
    Option::deserialize(from).map(Some)
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Call {
    Success,
    Failure,
    Slow,
    Ignored,
    Cancel,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Control {
    Open,
    OpenFor,
    HalfOpen,
    Close,
    Reset,
    ForceOpen,
    Disable,
    MetricsOnly,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "snake_case")]
enum Count {
    Total,
    Failures,
    Successes,
    Slow,
    ConsecutiveFailures,
}

/// The breaker of one case, its clock and the calls under way.
struct Play {
    breaker: AdvancedCircuitBreaker,
    policy: Policy,
    ignored: Ignored,
    dice: Dice,
    /// The calls under way by when they end, in the order in which they began.
    under_way: BTreeMap<(u64, usize), (Permit, Call, u64)>,
    begun: usize,
}

impl Play {
    fn new(policy: Policy, ignored: Ignored) -> Self {
        let mut dice = Dice::seeded(1);
        let breaker = AdvancedCircuitBreaker::new(&policy, 1, &mut dice, Moment::START);
        Self { breaker, policy, ignored, dice, under_way: BTreeMap::new(), begun: 0 }
    }

    fn step(&mut self, number: usize, step: &Step) -> Result<(), Verdict> {
        let mut at = step.at_ms;
        for _ in 0..step.repeat.unwrap_or(1) {
            self.complete_until(at);
            self.act(number, step, at)?;
            at += step.every_ms.unwrap_or(0);
        }
        Ok(())
    }

    fn act(&mut self, number: usize, step: &Step, at: u64) -> Result<(), Verdict> {
        let now = Moment::from_millis(at);
        match (step.call, step.control) {
            (Some(call), None) => {
                let expected =
                    step.expect.as_deref().ok_or_else(|| unsupported("call, no expect"))?;
                let answer =
                    self.breaker.try_acquire(&self.policy, Lane::FIRST, &mut self.dice, now).0;
                let got = if answer.is_ok() { "permitted" } else { "rejected" };
                compare(number, expected, got)?;
                if let (Ok(permit), Some(took)) = (answer, step.duration_ms.unwrap_or(Some(0))) {
                    self.begun += 1;
                    self.under_way.insert((at + took, self.begun), (permit, call, took));
                    if took == 0 {
                        self.complete_until(at);
                    }
                }
            }
            (None, Some(control)) => {
                let command = command(control, step.arg_ms)?;
                let transition = self.breaker.command(&self.policy, command, now);
                compare(number, &step.expect_error.unwrap_or(false), &transition.is_none())?;
            }
            (None, None) => {}
            (Some(_), Some(_)) => return Err(unsupported("a call and a control in one step")),
        }
        let state = self.breaker.state(&self.policy, now);
        if let Some(expected) = &step.expect_state {
            compare(number, expected.as_str(), state.word())?;
        }
        let counts = self.breaker.counts(&self.policy, now);
        for (count, expected) in step.expect_counts.iter().flatten() {
            let got = match count {
                Count::Total => counts.total,
                Count::Failures => counts.failures,
                Count::Successes => counts.successes(),
                Count::Slow => counts.slow,
                Count::ConsecutiveFailures if state == State::HalfOpen => {
                    return Err(unsupported("consecutive_failures of a half-open phase"));
                }
                Count::ConsecutiveFailures => u64::from(counts.consecutive_failures),
            };
            compare(number, expected, &got)?;
        }
        Ok(())
    }

    fn complete_until(&mut self, until: u64) {
        while let Some(first) = self.under_way.first_entry()
            && first.key().0 <= until
        {
            let ((at, _), (permit, call, took)) = first.remove_entry();
            let outcome = match (call, self.ignored) {
                (Call::Cancel, _) => {
                    self.breaker.cancel(permit);
                    continue;
                }
                (Call::Success, _) | (Call::Ignored, Ignored::Success) => Outcome::SUCCESS,
                (Call::Slow, _) => Outcome::SUCCESS.slow(),
                (Call::Failure, _) => Outcome::FAILURE,
                (Call::Ignored, Ignored::Neutral) => Outcome::NEUTRAL,
            };
            let judged = !matches!(call, Call::Ignored);
            let slow = outcome.slow || judged && self.policy.is_slow(Duration::from_millis(took));
            let (outcome, now) = (Outcome { slow, ..outcome }, Moment::from_millis(at));
            self.breaker.record(&self.policy, Lane::FIRST, permit, outcome, now);
        }
    }
}

fn command(control: Control, argument: Option<u64>) -> Result<Command, Verdict> {
    Ok(match control {
        Control::Open => Command::Open,
        Control::OpenFor => {
            let millis = argument.ok_or_else(|| unsupported("open_for without arg_ms"))?;
            Command::OpenFor(Duration::from_millis(millis))
        }
        Control::HalfOpen => Command::HalfOpen,
        Control::Close | Control::Reset => Command::Close,
        Control::ForceOpen => Command::ForceOpen(None),
        Control::Disable => Command::Disable(None),
        Control::MetricsOnly => Command::Shadow(None),
    })
}

/// Our policy for a case: no jitter, no ramp, growth forgotten on closing.
fn policy(config: &Config) -> Result<Policy, Verdict> {
    let HalfOpen { permits, window, ref decide, max_wait_ms, .. } = config.half_open;
    let Decide::SuccessOf { s: closes_at, of } = *decide;
    if of != permits || window.is_some_and(|window| window != permits) {
        return Err(unsupported("half_open: permits, window and decide.of differ"));
    }
    let first = Duration::from_millis(config.open.wait_ms);
    let (multiplier, longest) = match config.open.backoff {
        None => (1, first),
        Some(Backoff::Exponential { multiplier, max_ms }) => {
            (multiplier, Duration::from_millis(max_ms))
        }
    };
    let growth_resets = Growth::OnClose;
    let mut policy = Policy {
        consecutive_failures: None,
        failures_in_window: None,
        failure_rate: None,
        slow_rate: None,
        burn_rate: None,
        window: window_of(&config.window)?,
        wait: Wait { first, multiplier, longest, jitter: Jitter::None, growth_resets },
        trials: permits,
        closes_at,
        trial_limit: max_wait_ms.map(Duration::from_millis),
        ramp: None,
    };
    config.trip.iter().try_for_each(|trip| add_trip(&mut policy, trip))?;
    Ok(policy)
}

fn window_of(window: &WindowConfig) -> Result<Window, Verdict> {
    match *window {
        WindowConfig::Count { size } => Ok(Window::Count { calls: size }),
        WindowConfig::Time { ms, bucket_ms, .. } => {
            let buckets = ms.checked_div(bucket_ms).filter(|_| ms.is_multiple_of(bucket_ms));
            let buckets = buckets.and_then(|buckets| u16::try_from(buckets).ok());
            let length = Duration::from_millis(ms);
            let whole = |buckets| Window::Time { length, buckets };
            buckets.map(whole).ok_or_else(|| unsupported("a window that is not whole buckets"))
        }
    }
}

fn add_trip(policy: &mut Policy, trip: &Trip) -> Result<(), Verdict> {
    let ratio = |share| Ratio::from_fraction(share).ok_or_else(|| unsupported("a threshold"));
    let twice = match *trip {
        Trip::Rate { threshold, min_calls: minimum_calls, slow_threshold, slow_ms } => {
            let threshold = ratio(threshold)?;
            if let (Some(share), Some(millis)) = (slow_threshold, slow_ms) {
                let slower_than = Duration::from_millis(millis);
                let slow = SlowTrip { slower_than, threshold: ratio(share)?, minimum_calls };
                policy.slow_rate = Some(slow);
            } else if slow_threshold.is_some() || slow_ms.is_some() {
                return Err(unsupported("half of a slow trip"));
            }
            policy.failure_rate.replace(RateTrip { threshold, minimum_calls }).is_some()
        }
        Trip::CountOf { failures, min_calls } => {
            if min_calls.is_some_and(|calls| calls > failures) {
                return Err(unsupported("a count of failures with a larger minimum of calls"));
            }
            policy.failures_in_window.replace(failures).is_some()
        }
        Trip::Consecutive { failures } => policy.consecutive_failures.replace(failures).is_some(),
    };
    if twice { Err(unsupported("the same trip twice")) } else { Ok(()) }
}

fn compare<T>(step: usize, expected: &T, got: &T) -> Result<(), Verdict>
where
    T: PartialEq + std::fmt::Debug + ?Sized,
{
    let differs = || Verdict::Failed(format!("step {step}, expected {expected:?}, got {got:?}"));
    if expected == got { Ok(()) } else { Err(differs()) }
}

fn unsupported(what: &str) -> Verdict {
    Verdict::Unsupported(what.to_owned())
}
