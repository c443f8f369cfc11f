//! Reads how much of a service's load is let in: as much at once as it carries, and the share that
//! it serves.

use super::breaker::ANY;
use crate::concurrency::{self, Algorithm};
use crate::config::reader::Reader;
use crate::config::values::{is_off, put};
use crate::config::{AdmissionConfig, Code, Problem};
use crate::throttle::{self, Formula};

/// What is written under `admission`; nothing is refused if nothing is, or `"off"`.
pub(super) fn read_admission(reader: &mut Reader<'_, '_>) -> AdmissionConfig {
    if reader.take("admission").and_then(is_off::<()>).is_some() {
        return AdmissionConfig::default();
    }
    let Some(mut reader) = reader.table("admission", "admission") else {
        return AdmissionConfig::default();
    };
    if !reader.has("concurrency") && !reader.has("throttle") {
        let sentence = "`admission` needs `concurrency` or `throttle`";
        let problem = Problem::new(Code::NoneOfThem, reader.span(), sentence);
        reader.report(problem.help("concurrency = \"gradient2\""));
    }
    let concurrency = read_concurrency(&mut reader);
    let throttle = read_throttle(&mut reader);
    reader.deny_rest();
    AdmissionConfig { concurrency, throttle }
}

fn read_concurrency(reader: &mut Reader<'_, '_>) -> Option<concurrency::Policy> {
    let algorithms = [Algorithm::AIMD, Algorithm::VEGAS, Algorithm::GRADIENT2];
    let words = algorithms.map(|algorithm| (algorithm.word(), algorithm));
    let algorithm = reader.choice("concurrency", &words, &[]).map(|written| written.value);
    let drop_after = reader.duration("drop_after");
    let initial = reader.count("initial_limit", LIMITS);
    let least = reader.count("least_limit", LIMITS);
    let most = reader.count("most_limit", LIMITS);
    refuse_without(
        reader,
        "concurrency",
        &["drop_after", "initial_limit", "least_limit", "most_limit"],
    );
    let mut policy = concurrency::Policy::of(algorithm?);
    match (&mut policy.algorithm, drop_after) {
        (Algorithm::Aimd { timeout, .. }, drop_after) => put(timeout, drop_after),
        (_, Some(written)) => {
            reader.no_effect(written.key, "drop_after", "without `concurrency = \"aimd\"`");
        }
        (_, None) => {}
    }
    // A bound that is written moves those that are not.
    let written = (least.map(|least| least.value), most.map(|most| most.value));
    (policy.least, policy.most) = match written {
        (Some(least), Some(most)) => (least, most),
        (Some(least), None) => (least, policy.most.max(least)),
        (None, Some(most)) => (policy.least.min(most), most),
        (None, None) => (policy.least, policy.most),
    };
    if let Some(most) = most.filter(|most| most.value < policy.least) {
        let sentence = "`most_limit` is less than `least_limit`";
        reader.report(Problem::new(Code::NotAllowed, most.span, sentence));
        return None;
    }
    policy.initial = policy.initial.clamp(policy.least, policy.most);
    put(&mut policy.initial, initial);
    if let Some(initial) =
        initial.filter(|initial| !(policy.least..=policy.most).contains(&initial.value))
    {
        let sentence = "`initial_limit` is not between `least_limit` and `most_limit`";
        reader.report(Problem::new(Code::NotAllowed, initial.span, sentence));
    }
    Some(policy)
}

const LIMITS: core::ops::RangeInclusive<u32> = 1..=100_000;

fn read_throttle(reader: &mut Reader<'_, '_>) -> Option<throttle::Policy> {
    let formulas = [Formula::GOOGLE_SRE, Formula::FAILSAFE, Formula::ENVOY_ADMISSION];
    let words = formulas.map(|formula| (formula.word(), formula));
    let formula = reader.choice("throttle", &words, &[]).map(|written| written.value);
    let requests_each = reader.factor("requests_each", 1..=100);
    let threshold = reader.share("threshold");
    let most_refused = reader.share("most_refused");
    let aggression = reader.factor("aggression", 1..=100);
    let window = reader.duration("window");
    let minimum_requests = reader.count("minimum_requests", ANY);
    refuse_without(
        reader,
        "throttle",
        &["requests_each", "threshold", "most_refused", "aggression", "window", "minimum_requests"],
    );
    let mut policy = throttle::Policy::of(formula?);
    let (word, foreign): (_, &[&str]) = match &mut policy.formula {
        Formula::GoogleSre { multiplier } => {
            put(multiplier, requests_each);
            ("google_sre", &["threshold", "most_refused", "aggression"])
        }
        Formula::Failsafe { threshold: share, most } => {
            put(share, threshold);
            put(most, most_refused);
            ("failsafe", &["requests_each", "aggression"])
        }
        Formula::EnvoyAdmission { threshold: share, most, aggression: power } => {
            put(share, threshold);
            put(most, most_refused);
            put(power, aggression);
            ("envoy_admission", &["requests_each"])
        }
    };
    for key in foreign {
        if let Some(place) = reader.place(key) {
            reader.no_effect(place, key, &alloc::format!("with `throttle = \"{word}\"`"));
        }
    }
    put(&mut policy.window, window);
    put(&mut policy.minimum_requests, minimum_requests);
    Some(policy)
}

/// Refuses keys that mean nothing because `needed` is not written.
fn refuse_without(reader: &mut Reader<'_, '_>, needed: &str, keys: &[&str]) {
    if reader.has(needed) {
        return;
    }
    for key in keys {
        if let Some(place) = reader.place(key) {
            reader.no_effect(place, key, &alloc::format!("without `{needed}`"));
        }
    }
}
