//! Reads which endpoints stand out from their group, and for how long they are out.

use super::breaker::ANY;
use crate::Ratio;
use crate::config::reader::Reader;
use crate::config::values::{is_off, put};
use crate::config::{Code, Problem};
use crate::outlier::Policy;

/// What is written under `outlier`; `None` if nothing is, or `"off"`.
pub(super) fn read_outlier(reader: &mut Reader<'_, '_>) -> Option<Policy> {
    if reader.take("outlier").and_then(is_off::<()>).is_some() {
        return None;
    }
    let mut reader = reader.table("outlier", "outlier")?;
    let mut policy = Policy::standard();
    put(&mut policy.interval, reader.duration("interval"));
    put(&mut policy.consecutive, reader.count_or_off("consecutive", ANY));
    read_rules(&mut reader, &mut policy);
    let (first, longest) = (reader.duration("first"), reader.duration("longest"));
    put(&mut policy.first, first);
    policy.longest = policy.longest.max(policy.first);
    put(&mut policy.longest, longest);
    if let Some(longest) = longest
        && longest.value < policy.first
    {
        let sentence = "`longest` is shorter than `first`";
        reader.report(Problem::new(Code::NotAllowed, longest.span, sentence));
    }
    let most = reader.share("most");
    put(&mut policy.most, most);
    if let Some(most) = most
        && most.value == Ratio::ZERO
    {
        let problem = Problem::new(Code::ZeroIsNotOff, most.span, "one may always be ejected");
        reader.report(problem.help("outlier = \"off\""));
    }
    put(&mut policy.keep_at_least, reader.count("keep_at_least", ANY));
    put(&mut policy.returns_on_health, reader.boolean("returns_on_health"));
    if policy.consecutive.is_none()
        && policy.success_rate.is_none()
        && policy.failure_share.is_none()
    {
        let problem = Problem::new(Code::NoEffect, reader.span(), "every rule of `outlier` is off");
        reader.report(problem.help("outlier = \"off\""));
    }
    reader.deny_rest();
    Some(policy)
}

fn read_rules(reader: &mut Reader<'_, '_>, policy: &mut Policy) {
    let deviations = reader.factor_or_off("deviations", 1..=10);
    let share = reader.share_or_off("failure_share");
    let hosts = reader.count("minimum_hosts", 1..=10_000);
    let calls = reader.count("minimum_calls", ANY);
    if deviations.is_some_and(|deviations| deviations.value.is_none()) {
        policy.success_rate = None;
    }
    if share.is_some_and(|share| share.value.is_none()) {
        policy.failure_share = None;
    }
    if let Some(rule) = &mut policy.success_rate {
        rule.deviations = deviations.and_then(|written| written.value).unwrap_or(rule.deviations);
        put(&mut rule.minimum_hosts, hosts);
        put(&mut rule.minimum_calls, calls);
    }
    if let Some(rule) = &mut policy.failure_share {
        rule.share = share.and_then(|written| written.value).unwrap_or(rule.share);
        put(&mut rule.minimum_hosts, hosts);
        put(&mut rule.minimum_calls, calls);
    }
    if policy.success_rate.is_none() && policy.failure_share.is_none() {
        for (key, written) in [("minimum_hosts", hosts), ("minimum_calls", calls)] {
            if let Some(written) = written {
                reader.no_effect(written.key, key, "without `deviations` or `failure_share`");
            }
        }
    }
}
