//! Compares sections with one another: names that nobody has, routes that nothing reaches.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;

use super::findings::{Findings, Written};
use super::sections::{ReadRoute, report_tries};
use super::suggest;
use super::{
    Code, ListenerConfig, MeshConfig, Problem, RegistryConfig, RouteConfig, ServiceConfig,
};
use crate::routing::Pattern;

/// Reports what is named and does not exist, and names that are used twice.
pub(super) fn report_unknown(findings: &mut Findings, config: &MeshConfig) {
    let services = core::mem::take(&mut findings.service_names);
    let known: BTreeSet<&str> = services.iter().map(String::as_str).collect();
    for meant in core::mem::take(&mut findings.services_meant) {
        report_name("service", &meant, &known, findings);
    }
    let listeners = core::mem::take(&mut findings.listener_names);
    let known: BTreeSet<&str> = listeners.iter().map(|name| name.value.as_str()).collect();
    for meant in core::mem::take(&mut findings.listeners_meant) {
        report_name("listener", &meant, &known, findings);
    }
    report_twice("listener", &listeners, findings);
    let policies = core::mem::take(&mut findings.policy_names);
    let known: BTreeSet<&str> = policies.iter().map(|name| name.value.as_str()).collect();
    for meant in core::mem::take(&mut findings.policies_meant) {
        report_name("policy", &meant, &known, findings);
    }
    report_twice("policy", &policies, findings);
    report_providers(findings);
    let routes = core::mem::take(&mut findings.route_names);
    report_twice("route", &routes, findings);
    if config.registry == RegistryConfig::None {
        for span in core::mem::take(&mut findings.registry_meant) {
            findings.report(
                Problem::new(Code::Missing, span, "there is no registry to discover instances in")
                    .help("[registry]\nkind = \"embedded\""),
            );
        }
    }
    report_unproved(findings, config);
}

/// Reports token providers that no rule uses, rules that use one that there is not, and issuers of
/// which it could not be told whose settings hold.
fn report_providers(findings: &mut Findings) {
    let providers = core::mem::take(&mut findings.provider_names);
    let known: BTreeSet<&str> = providers.iter().map(|name| name.value.as_str()).collect();
    let meant = core::mem::take(&mut findings.providers_meant);
    for name in &meant {
        report_name("token provider", name, &known, findings);
    }
    let used: BTreeSet<&str> = meant.iter().map(|name| name.value.as_str()).collect();
    for name in providers.iter().filter(|name| !used.contains(name.value.as_str())) {
        let sentence = format!("no policy uses token provider `{}`", name.value);
        let problem = Problem::new(Code::ProviderUnused, name.span, sentence);
        findings.report(problem.help(format!("jwt = \"{}\"", name.value)));
    }
    let issuers = core::mem::take(&mut findings.issuers);
    let mut seen = BTreeMap::new();
    for issuer in &issuers {
        if let Some(first) = seen.insert(&issuer.value, issuer.span) {
            let sentence = format!("issuer `{}` has a token provider already", issuer.value);
            findings.report(
                Problem::new(Code::NameTwice, issuer.span, sentence)
                    .again(first, "first used here")
                    .help("one provider can have several `audiences`"),
            );
        }
    }
}

/// Reports where a certificate or a trust domain is needed that is not configured.
fn report_unproved(findings: &mut Findings, config: &MeshConfig) {
    let certificate_meant = core::mem::take(&mut findings.certificate_meant);
    let trust_meant = core::mem::take(&mut findings.trust_meant);
    let domains_meant = core::mem::take(&mut findings.domains_meant);
    // A faulty `[identity]` has its own problems.
    if findings.is_identity_faulty {
        return;
    }
    let Some(identity) = &config.security.identity else {
        for meant in certificate_meant.iter().chain(&trust_meant) {
            let sentence = format!("{} needs the certificate of `[identity]`", meant.value);
            findings.report(
                Problem::new(Code::Missing, meant.span, sentence)
                    .help("[identity]\ncert = \"tls/mesh.pem\"\nkey = \"tls/mesh.key\""),
            );
        }
        return;
    };
    let Some(trust) = &identity.trust else {
        for meant in &trust_meant {
            let sentence = format!("{} needs the trust domain of `[identity]`", meant.value);
            findings.report(
                Problem::new(Code::Missing, meant.span, sentence).help(
                    "[identity]\ntrust_domain = \"corp.example\"\nbundle = \"tls/bundle.pem\"",
                ),
            );
        }
        return;
    };
    let federated = trust.federation.iter().map(|other| other.trust_domain.as_str());
    let known: BTreeSet<&str> = federated.chain([trust.trust_domain.as_str()]).collect();
    for meant in domains_meant {
        if !known.contains(meant.value.as_str()) {
            let sentence = format!("there is no trust bundle for `{}`", meant.value);
            let help = format!(
                "[identity.federation]\nother = {{ trust_domain = \"{}\", bundle = \"tls/other.pem\" }}",
                meant.value
            );
            findings.report(
                Problem::new(Code::DomainWithoutBundle, meant.span, sentence)
                    .note("nobody of that trust domain could ever prove who it is")
                    .help(help),
            );
        }
    }
}

fn report_name(
    what: &str,
    meant: &Written<String>,
    known: &BTreeSet<&str>,
    findings: &mut Findings,
) {
    if known.contains(meant.value.as_str()) {
        return;
    }
    let sentence = format!("there is no {what} `{}`", meant.value);
    let problem = Problem::new(Code::UnknownName, meant.span, sentence);
    findings.report(match suggest::nearest(&meant.value, known.iter().copied()) {
        Some(nearest) => problem.help(format!("did you mean `{nearest}`?")),
        None => problem,
    });
}

fn report_twice(what: &str, names: &[Written<String>], findings: &mut Findings) {
    let mut seen = BTreeMap::new();
    for name in names {
        if let Some(&first) = seen.get(&name.value) {
            let sentence = format!("{what} name `{}` is already used", name.value);
            findings.report(
                Problem::new(Code::NameTwice, name.span, sentence).again(first, "first used here"),
            );
        } else {
            seen.insert(&name.value, name.span);
        }
    }
}

/// Reports routes behind one that takes everything, attempts that do not fit into the time-out of
/// their route, and listeners that lead nowhere. Services are ordered by name.
pub(super) fn report_routes(
    routes: &[Written<ReadRoute>],
    listeners: &[Written<ListenerConfig>],
    services: &[ServiceConfig],
    findings: &mut Findings,
) {
    let mut taken_whole: BTreeMap<Option<&str>, &Written<ReadRoute>> = BTreeMap::new();
    for read in routes {
        let route = &read.value.route;
        let listener = route.listener.as_deref();
        if let Some(first) = taken_whole.get(&listener).or_else(|| taken_whole.get(&None)) {
            let sentence = format!("route `{}` can never match", route.name);
            let first_takes = format!("route `{}` takes every request", first.value.route.name);
            findings.report(
                Problem::new(Code::NeverMatches, read.span, sentence)
                    .again(first.span, first_takes),
            );
        } else if takes_everything(route) {
            taken_whole.insert(listener, read);
        }
        if let Some(retry) = &read.value.retry {
            let service = services.binary_search_by(|service| service.name.cmp(&route.service));
            let timeout = route.timeout.or(service.ok().map(|index| services[index].timeout));
            if let Some(timeout) = timeout {
                report_tries(retry, timeout, findings);
            }
        }
    }
    report_leading_nowhere(routes, listeners, findings);
}

fn report_leading_nowhere(
    routes: &[Written<ReadRoute>],
    listeners: &[Written<ListenerConfig>],
    findings: &mut Findings,
) {
    let with_routes: BTreeSet<Option<&str>> =
        routes.iter().map(|read| read.value.route.listener.as_deref()).collect();
    for Written { value: listener, span, .. } in listeners {
        let has_route =
            with_routes.contains(&None) || with_routes.contains(&Some(listener.name.as_str()));
        if listener.forward_to.is_none() && !has_route {
            let sentence = format!("listener `{}` needs `forward_to` or a route", listener.name);
            findings.report(Problem::new(Code::Missing, *span, sentence));
        }
    }
}

fn takes_everything(route: &RouteConfig) -> bool {
    let every_path = route.paths.is_empty() || route.paths.iter().any(Pattern::takes_every_path);
    route.hosts.is_empty() && route.methods.is_empty() && every_path
}
