//! Reads when a breaker trips, how long it stays open, and what closes it.

use alloc::format;
use core::time::Duration;

use crate::Ratio;
use crate::circuit_breaker::{
    BurnTrip, Growth, Jitter, Policy, Preset, RateTrip, SlowTrip, Wait, Window,
};
use crate::config::findings::Written;
use crate::config::reader::Reader;
use crate::config::tree::Value;
use crate::config::values::{is_off, put};
use crate::config::{Code, Problem};

/// The fewest calls by which a rate is judged when nothing is written.
const MINIMUM_CALLS: u32 = 20;

/// The most trials; a breaker can count no more than a few beyond that.
const MOST_TRIALS: u32 = 500;

/// The number of buckets when nothing is written.
const BUCKETS: u16 = 10;

/// Replaces what is written under `key` in `policy`, whose other settings stay. A preset is a word
/// in place of the table, or `preset` in it; where `policy` has no trip on failures in a row, a
/// preset brings none, and its trial limit stays that of `policy`.
pub(super) fn read_breaker(reader: &mut Reader<'_, '_>, key: &'static str, policy: &mut Policy) {
    let entry = reader.take(key);
    if entry.and_then(is_off::<()>).is_some() {
        policy.consecutive_failures = None;
        policy.failures_in_window = None;
        policy.failure_rate = None;
        policy.slow_rate = None;
        policy.burn_rate = None;
        return;
    }
    let words = Preset::ALL.map(|preset| (preset.word(), preset));
    if entry.is_some_and(|entry| matches!(entry.node.value, Value::String(_))) {
        set_preset(policy, reader.choice(key, &words, &[]));
        return;
    }
    let Some(mut reader) = reader.table(key, "breaker") else { return };
    set_preset(policy, reader.choice("preset", &words, &[]));
    put(&mut policy.consecutive_failures, reader.count_or_off("consecutive_failures", ANY));
    let in_window = reader.count_or_off("failures_in_window", ANY);
    put(&mut policy.failures_in_window, in_window);
    read_window(&mut reader, policy);
    read_rates(&mut reader, policy);
    read_burn(&mut reader, policy);
    refuse_out_of_reach(&mut reader, policy, in_window);
    read_wait(&mut reader, &mut policy.wait);
    read_trials(&mut reader, policy);
    reader.deny_rest();
}

fn set_preset(policy: &mut Policy, preset: Option<Written<Preset>>) {
    let Some(preset) = preset else { return };
    let (has_run, trial_limit) = (policy.consecutive_failures.is_some(), policy.trial_limit);
    *policy = Policy { trial_limit, ..preset.value.policy() };
    policy.consecutive_failures = policy.consecutive_failures.filter(|_| has_run);
}

pub(super) const ANY: core::ops::RangeInclusive<u32> = 1..=u32::MAX;

fn read_window(reader: &mut Reader<'_, '_>, policy: &mut Policy) {
    let length = reader.duration("window");
    let buckets = reader.count("buckets", 1..=1_000);
    let calls = reader.count("window_calls", 1..=100_000);
    if let Some(calls) = calls {
        policy.window = Window::Count { calls: calls.value };
        if length.is_some() {
            let sentence = "a breaker has either `window` or `window_calls`, not both";
            reader.report(Problem::new(Code::MoreThanOne, calls.key, sentence));
        }
        if let Some(buckets) = buckets {
            reader.no_effect(buckets.key, "buckets", "with `window_calls`");
        }
        return;
    }
    let Window::Time { length: default, .. } = policy.window else { return };
    let place = buckets.or(length.map(|length| length.with(0))).map(|written| written.span);
    let length = length.map_or(default, |length| length.value);
    let buckets =
        buckets.map_or(BUCKETS, |buckets| u16::try_from(buckets.value).unwrap_or(BUCKETS));
    if length < Duration::from_millis(u64::from(buckets))
        && let Some(place) = place
    {
        let sentence =
            format!("{length:?} cannot be divided into {buckets} buckets of at least 1 ms");
        reader.report(Problem::new(Code::NotAllowed, place, sentence));
    }
    policy.window = Window::Time { length, buckets };
}

fn read_rates(reader: &mut Reader<'_, '_>, policy: &mut Policy) {
    let failure = reader.share_or_off("failure_rate");
    let slow = reader.share_or_off("slow_rate");
    let slower_than = reader.duration("slower_than");
    let minimum = reader.count("minimum_calls", ANY);
    let standard = policy.failure_rate.map_or(MINIMUM_CALLS, |trip| trip.minimum_calls);
    let standard = match policy.window {
        Window::Count { calls } => standard.min(calls),
        Window::Time { .. } => standard,
    };
    let minimum_calls = minimum.map_or(standard, |minimum| minimum.value);
    let failure =
        failure.map_or(policy.failure_rate.map(|trip| trip.threshold), |threshold| threshold.value);
    policy.failure_rate = failure.map(|threshold| RateTrip { threshold, minimum_calls });
    policy.slow_rate = read_slow(reader, slow, slower_than, minimum_calls);
    if let Some(minimum) = minimum
        && policy.failure_rate.is_none()
        && policy.slow_rate.is_none()
        && !reader.has("slow_rate")
    {
        reader.no_effect(minimum.key, "minimum_calls", "without `failure_rate` or `slow_rate`");
    }
    if let (Window::Count { calls }, Some(minimum)) = (policy.window, minimum)
        && minimum.value > calls
    {
        let sentence = "`minimum_calls` is more than `window_calls`: a rate can never trip";
        reader.report(Problem::new(Code::NoEffect, minimum.span, sentence));
    }
}

fn read_slow(
    reader: &mut Reader<'_, '_>,
    slow: Option<Written<Option<Ratio>>>,
    slower_than: Option<Written<Duration>>,
    minimum_calls: u32,
) -> Option<SlowTrip> {
    let threshold = slow.and_then(|slow| slow.value);
    if let (None, Some(slower_than)) = (threshold, slower_than)
        && !reader.has("slow_rate")
    {
        reader.no_effect(slower_than.key, "slower_than", "without `slow_rate`");
    }
    let threshold = threshold?;
    let slower_than = reader.required("slower_than", slower_than)?.value;
    Some(SlowTrip { slower_than, threshold, minimum_calls })
}

fn read_burn(reader: &mut Reader<'_, '_>, policy: &mut Policy) {
    let objective = reader.share_or_off("objective");
    let factor = reader.factor("burn_factor", 1..=1_000);
    let long = reader.duration("burn_long");
    let short = reader.duration("burn_short");
    let calls = reader.count("burn_calls", ANY);
    if let Some(objective) = objective {
        let burn = policy.burn_rate;
        policy.burn_rate = objective.value.map(|objective| match burn {
            Some(burn) => BurnTrip { objective, ..burn },
            None => BurnTrip::of(objective),
        });
    }
    let Some(burn) = &mut policy.burn_rate else {
        for key in ["burn_factor", "burn_long", "burn_short", "burn_calls"] {
            if let Some(place) = reader.place(key) {
                reader.no_effect(place, key, "without `objective`");
            }
        }
        return;
    };
    put(&mut burn.factor, factor);
    put(&mut burn.long, long);
    burn.short = burn.short.min(burn.long);
    put(&mut burn.short, short);
    put(&mut burn.minimum_calls, calls);
    if let Some(short) = short
        && short.value > burn.long
    {
        let sentence = "`burn_short` is longer than `burn_long`";
        reader.report(Problem::new(Code::NotAllowed, short.span, sentence));
    }
    let is_in_reach = burn.factor.times_is_reached_by(burn.objective.rest(), 1, 1);
    let place = factor.map(|factor| factor.span).or(objective.map(|objective| objective.span));
    if let Some(place) = place
        && !is_in_reach
    {
        let sentence = "more than all calls would have to fail: it can never trip";
        reader.report(Problem::new(Code::NoEffect, place, sentence));
    }
}

/// Refuses a window that no trip looks at, and a count that no window can hold.
fn refuse_out_of_reach(
    reader: &mut Reader<'_, '_>,
    policy: &Policy,
    in_window: Option<Written<Option<u32>>>,
) {
    if let (Window::Count { calls }, Some(failures)) = (policy.window, in_window)
        && failures.value.is_some_and(|failures| failures > calls)
    {
        let sentence = "`failures_in_window` is more than `window_calls`: it can never trip";
        reader.report(Problem::new(Code::NoEffect, failures.span, sentence));
    }
    let looked_at = policy.failures_in_window.is_some()
        || policy.failure_rate.is_some()
        || policy.slow_rate.is_some()
        || reader.has("slow_rate");
    if looked_at {
        return;
    }
    for key in ["window", "buckets", "window_calls"] {
        if let Some(place) = reader.place(key) {
            reader.no_effect(place, key, "when no trip looks at the window");
        }
    }
}

fn read_wait(reader: &mut Reader<'_, '_>, wait: &mut Wait) {
    put(&mut wait.first, reader.duration("wait"));
    put(&mut wait.multiplier, reader.count("multiplier", 1..=10));
    wait.longest = wait.longest.max(wait.first);
    let longest = reader.duration("longest_wait");
    put(&mut wait.longest, longest);
    if let Some(longest) = longest {
        if longest.value < wait.first {
            let sentence = "`longest_wait` is shorter than `wait`";
            reader.report(Problem::new(Code::NotAllowed, longest.span, sentence));
        } else if wait.multiplier == 1 {
            reader.no_effect(longest.key, "longest_wait", "with `multiplier = 1`");
        }
    }
    let words = [("equal", Jitter::Equal), ("none", Jitter::None)];
    put(&mut wait.jitter, reader.choice("jitter", &words, &[]));
    put(&mut wait.growth_resets, read_growth(reader));
}

fn read_growth(reader: &mut Reader<'_, '_>) -> Option<Written<Growth>> {
    let entry = reader.take("growth_resets")?;
    if matches!(&entry.node.value, Value::String(text) if text == "on_close") {
        return Some(Written { value: Growth::OnClose, key: entry.key, span: entry.node.span });
    }
    let time = reader.duration("growth_resets")?;
    Some(time.with(Growth::AfterHealthy(time.value)))
}

fn read_trials(reader: &mut Reader<'_, '_>, policy: &mut Policy) {
    let trials = reader.count("trials", 1..=MOST_TRIALS);
    let closes_at = reader.count("closes_at", 1..=MOST_TRIALS);
    put(&mut policy.trials, trials);
    policy.closes_at = policy.closes_at.min(policy.trials);
    put(&mut policy.closes_at, closes_at);
    if let Some(closes_at) = closes_at
        && closes_at.value > policy.trials
    {
        let sentence = format!("`closes_at` is more than the {} `trials`", policy.trials);
        reader.report(
            Problem::new(Code::NotAllowed, closes_at.span, sentence)
                .note("the breaker could never close again"),
        );
    }
    put(&mut policy.trial_limit, reader.duration_or_off("trial_limit"));
    put(&mut policy.ramp, reader.duration_or_off("ramp"));
}
