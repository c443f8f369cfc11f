//! Compares the access rules with one another and with the listeners: what everyone may do, what
//! nobody can, what a denial covers.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;

use super::findings::Written;
use super::reader::Reader;
use super::sections::{ReadPolicy, is_local};
use super::{Code, DefaultAccess, ListenerConfig, Problem, Span};
use crate::authorization::{Action, Mode};
use crate::discovery::Address;

/// What the access rules are compared with.
#[derive(Clone, Copy)]
pub(super) struct Surroundings<'a> {
    pub(super) default: Option<Written<DefaultAccess>>,
    pub(super) listeners: &'a [Written<ListenerConfig>],
    /// The services, each with the place of its table.
    pub(super) services: &'a [(String, Span)],
    /// Whether nothing is wrong with the rules one by one: else what they say together is a guess.
    pub(super) is_whole: bool,
}

/// Reports what is wrong with who may do what, taken as a whole.
pub(super) fn report_access(
    reader: &mut Reader<'_, '_>,
    policies: &[Written<ReadPolicy>],
    around: &Surroundings<'_>,
) {
    report_default(reader, around);
    if !around.is_whole {
        return;
    }
    for policy in policies {
        report_never(reader, policy, around);
        report_useless(reader, policy, around);
    }
    report_shadowed(reader, policies);
    report_unspoken(reader, policies, around);
}

/// Requests may come in only where it is written what happens to them.
fn report_default(reader: &mut Reader<'_, '_>, around: &Surroundings<'_>) {
    let Some(first) = reader.first_of("listener") else { return };
    if !reader.has("authorization") && !reader.has("policy") {
        let sentence = "nothing says who may do what";
        return reader.report(
            Problem::new(Code::NoPolicy, first, sentence)
                .note("a mesh that takes requests says what happens to those no rule speaks of")
                .help("[authorization]\ndefault = \"deny\"         # or \"allow\""),
        );
    }
    let exposed = around.listeners.iter().find(|listener| !is_local(&listener.value.address));
    if let (Some(Written { value: DefaultAccess::Allow, span, .. }), Some(listener)) =
        (&around.default, exposed)
    {
        let sentence = format!(
            "everyone who reaches listener `{}` is let through to the services",
            listener.value.name
        );
        reader.report(
            Problem::new(Code::AllowsEveryone, *span, sentence)
                .as_warning()
                .again(listener.span, "open to other machines"),
        );
    }
}

/// Rules that can hold for no request. One that denies and never does lets through what it was
/// written against, so it is an error; one that allows merely fails closed.
fn report_never(
    reader: &mut Reader<'_, '_>,
    policy: &Written<ReadPolicy>,
    around: &Surroundings<'_>,
) {
    let ReadPolicy { rule, name, from, ports } = &policy.value;
    if rule.contradicts_itself() {
        let sentence = format!("policy `{}` can never match", rule.name);
        let problem = Problem::new(Code::NeverMatches, *name, sentence);
        return reader.report(problem.note("it excludes all that it names"));
    }
    let open: BTreeSet<u16> = around.listeners.iter().filter_map(port).collect();
    if let Some(ports) = ports
        && !open.is_empty()
        // The system chooses the port where 0 is written.
        && !open.contains(&0)
        && !ports.value.iter().any(|port| open.contains(port))
    {
        let sentence = format!("policy `{}` can never match: no listener has its ports", rule.name);
        return reader.report(Problem::new(Code::NeverMatches, ports.span, sentence));
    }
    // A listener that could not be read may be one that lets them.
    if let Some(from) = from
        && !reader.findings.broken
        && !around.listeners.is_empty()
        && !around.listeners.iter().any(|listener| listener.value.tls.asks_clients())
    {
        let sentence = format!(
            "policy `{}` can never match: no listener lets callers prove who they are",
            rule.name
        );
        let problem =
            Problem::new(Code::NeverMatches, *from, sentence).help("ip_blocks = [\"10.1.0.0/16\"]");
        reader.report(match rule.action {
            Action::Deny => problem.note("whom it is against would be let through"),
            Action::Allow => problem.as_warning(),
        });
    }
}

/// With `default = "allow"`, what a rule allows is allowed without it, too.
fn report_useless(
    reader: &mut Reader<'_, '_>,
    policy: &Written<ReadPolicy>,
    around: &Surroundings<'_>,
) {
    let Some(Written { value: DefaultAccess::Allow, span, .. }) = &around.default else { return };
    let rule = &policy.value.rule;
    if rule.action == Action::Allow {
        let sentence = format!(
            "policy `{}` has no effect: what no policy speaks of is allowed anyway",
            rule.name
        );
        reader.report(
            Problem::new(Code::NoEffect, policy.value.name, sentence)
                .again(*span, "allowed here")
                .help("[authorization]\ndefault = \"deny\""),
        );
    }
}

fn report_shadowed(reader: &mut Reader<'_, '_>, policies: &[Written<ReadPolicy>]) {
    let of = |action| policies.iter().filter(move |policy| policy.value.rule.action == action);
    for policy in of(Action::Allow) {
        let ReadPolicy { rule, name, .. } = &policy.value;
        let shadow = of(Action::Deny).find(|denial| rule.is_shadowed_by(&denial.value.rule));
        if let Some(shadow) = shadow {
            let sentence = format!("policy `{}` can never allow", rule.name);
            let again = format!("policy `{}` denies all of it", shadow.value.rule.name);
            reader.report(
                Problem::new(Code::Shadowed, *name, sentence).again(shadow.value.name, again),
            );
        }
    }
}

/// Services that no rule allows anybody, though there are rules.
fn report_unspoken(
    reader: &mut Reader<'_, '_>,
    policies: &[Written<ReadPolicy>],
    around: &Surroundings<'_>,
) {
    let is_open = around.default.as_ref().is_some_and(|one| one.value == DefaultAccess::Allow);
    if policies.is_empty() || is_open || around.listeners.is_empty() {
        return;
    }
    for (service, span) in around.services {
        let allows = |policy: &Written<ReadPolicy>| {
            let rule = &policy.value.rule;
            rule.action == Action::Allow && rule.mode == Mode::Enforced && rule.is_about(service)
        };
        if !policies.iter().any(allows) {
            let sentence =
                format!("no policy allows service `{service}`: every request will be denied");
            reader.report(Problem::new(Code::NoPolicy, *span, sentence).as_warning());
        }
    }
}

fn port(listener: &Written<ListenerConfig>) -> Option<u16> {
    match &listener.value.address {
        Address::Tcp(address) => Some(address.port()),
        Address::Unix(_) => None,
    }
}
