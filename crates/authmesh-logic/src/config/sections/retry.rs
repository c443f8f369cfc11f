//! Reads whether and how attempts are repeated, and whether they fit into the time-out.

use alloc::format;
use core::time::Duration;

use crate::config::findings::{Findings, Written};
use crate::config::reader::Reader;
use crate::config::suggest;
use crate::config::values::{is_off, listed, put};
use crate::config::{Code, Problem, Span};
use crate::retry::{Methods, OperationClass, Policy};

/// The most attempts of one request.
const MOST_ATTEMPTS: u32 = 10;

/// Retries as read, and where the length of an attempt is written.
pub(in crate::config) struct Retry {
    pub(in crate::config) policy: Policy,
    pub(in crate::config) per_try: Option<Span>,
}

pub(super) fn read_retry(reader: &mut Reader<'_, '_>) -> Option<Retry> {
    if reader.take("retry").and_then(is_off::<()>).is_some() {
        return Some(Retry { policy: Policy { attempts: 1, ..Policy::default() }, per_try: None });
    }
    let mut reader = reader.table("retry", "retry")?;
    let mut policy = Policy::default();
    put(&mut policy.attempts, reader.count("attempts", 1..=MOST_ATTEMPTS));
    let per_try = reader.duration("per_try");
    policy.per_try = per_try.map(|time| time.value);
    let only_if_unprocessed = reader.boolean("only_if_unprocessed");
    put(&mut policy.only_if_unprocessed, only_if_unprocessed);
    if policy.attempts == 1
        && let Some(Written { value: true, key, .. }) = only_if_unprocessed
    {
        reader.no_effect(key, "only_if_unprocessed", "with one attempt");
    }
    if let Some(methods) = read_methods(&mut reader, &policy) {
        policy.methods = methods;
    }
    reader.deny_rest();
    Some(Retry { policy, per_try: per_try.map(|time| time.whole()) })
}

/// The methods listed; those that must not be sent twice are reported.
fn read_methods(reader: &mut Reader<'_, '_>, policy: &Policy) -> Option<Methods> {
    let written = reader.strings("methods")?;
    if policy.attempts == 1 {
        reader.no_effect(written.key, "methods", "with one attempt");
    }
    if reader.is_empty_array("methods") {
        let problem = Problem::new(Code::NotAllowed, written.span, "no method is listed");
        reader.report(problem.help("retry = \"off\""));
    }
    let mut methods = Methods::NONE;
    for method in written.value {
        if let Some(more) = methods.with(method.value) {
            methods = more;
        } else {
            let sentence = format!("`methods` takes {}", listed(Methods::KNOWN.into_iter()));
            let problem = Problem::new(Code::NotAllowed, method.span, sentence);
            reader.report(match suggest::nearest(method.value, Methods::KNOWN) {
                Some(meant) => problem.help(format!("did you mean `{meant}`?")),
                None => problem,
            });
            continue;
        }
        let is_safe = OperationClass::of_method(method.value) == OperationClass::Idempotent;
        if !is_safe && !policy.only_if_unprocessed {
            let sentence = "this method must not be sent twice";
            reader.report(
                Problem::new(Code::UnsafeRetry, method.span, sentence)
                    .note("a login or a one-time code would be spent twice")
                    .help("only_if_unprocessed = true"),
            );
        }
    }
    Some(methods)
}

/// Warns when the attempts take longer than the request may.
pub(in crate::config) fn report_tries(retry: &Retry, timeout: Duration, findings: &mut Findings) {
    let (Some(per_try), Some(place)) = (retry.policy.per_try, retry.per_try) else { return };
    let attempts = retry.policy.attempts;
    if per_try.saturating_mul(attempts) > timeout {
        let sentence = format!("{attempts} x {per_try:?} cannot fit in {timeout:?}");
        findings.report(
            Problem::new(Code::TriesExceedTimeout, place, sentence)
                .note("the last attempts are cut off by the request's time-out"),
        );
    }
}
