//! Reads whether and how attempts are repeated, and whether they fit into the time-out.

use alloc::format;
use core::time::Duration;

use crate::config::findings::{Findings, Written};
use crate::config::reader::Reader;
use crate::config::tree::{Node, Value};
use crate::config::values::{is_off, put};
use crate::config::{Code, Problem, Span};
use crate::retry::{OperationClass, Policy};

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
    if !policy.only_if_unprocessed {
        refuse_unsafe_methods(&mut reader);
    }
    reader.deny_rest();
    Some(Retry { policy, per_try: per_try.map(|time| time.whole()) })
}

/// Methods are refused by name with the rest; that some must not be sent twice is said as well.
fn refuse_unsafe_methods(reader: &mut Reader<'_, '_>) {
    let Some(Node { value: Value::Array(methods), .. }) = reader.untaken("methods") else { return };
    for node in methods {
        let Value::String(method) = &node.value else { continue };
        if OperationClass::of_method(method) != OperationClass::Idempotent {
            reader.report(
                Problem::new(Code::UnsafeRetry, node.span, "this method must not be sent twice")
                    .note("a login or a one-time code would be spent twice")
                    .help("only_if_unprocessed = true"),
            );
        }
    }
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
