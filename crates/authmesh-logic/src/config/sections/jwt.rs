//! Looks at token providers: what is wrong with one is told, though none is in force yet.

use alloc::collections::BTreeSet;
use alloc::format;

use crate::config::findings::Findings;
use crate::config::tree::{Entry, Node, Table, Value};
use crate::config::{Code, Problem};

/// Reports what is wrong with the tables of `[jwt.NAME]`, which of them no rule uses, and rules that
/// use one that there is not.
pub(in crate::config) fn report_providers(providers: Option<&Node>, findings: &mut Findings) {
    let nothing = Table::new();
    let providers = match providers {
        Some(Node { value: Value::Table(providers), .. }) => providers,
        _ => &nothing,
    };
    let meant = core::mem::take(&mut findings.providers_meant);
    for name in meant.iter().filter(|name| !providers.contains_key(&name.value)) {
        let sentence = format!("there is no token provider `{}`", name.value);
        findings.report(Problem::new(Code::UnknownName, name.span, sentence));
    }
    let used: BTreeSet<&str> = meant.iter().map(|name| name.value.as_str()).collect();
    for (name, entry) in providers {
        let Value::Table(provider) = &entry.node.value else { continue };
        report_algorithms(provider, findings);
        report_sources(provider, findings);
        if !provider.contains_key("audiences") {
            let sentence = format!("`audiences` is required in token provider `{name}`");
            findings.report(
                Problem::new(Code::AudiencesMissing, entry.node.span, sentence)
                    .note("a token that was made for another service would pass")
                    .help("audiences = [\"https://SERVICE\"]"),
            );
        }
        if !used.contains(name.as_str()) {
            let sentence = format!("no policy uses token provider `{name}`");
            let problem = Problem::new(Code::ProviderUnused, entry.node.span, sentence);
            findings.report(problem.help(format!("jwt = \"{name}\"")));
        }
    }
}

fn report_algorithms(provider: &Table, findings: &mut Findings) {
    let Some(Entry { node: Node { value: Value::Array(algorithms), .. }, .. }) =
        provider.get("algorithms")
    else {
        return;
    };
    for node in algorithms {
        let Value::String(algorithm) = &node.value else { continue };
        if algorithm.eq_ignore_ascii_case("none") {
            let problem =
                Problem::new(Code::AlgorithmNone, node.span, "`none` is not an algorithm here");
            findings.report(problem.note("anyone could write such a token"));
        } else if algorithm.starts_with("HS") && provider.contains_key("jwks") {
            let sentence = "symmetric algorithms cannot be used with a JWKS";
            findings.report(
                Problem::new(Code::SymmetricBesideJwks, node.span, sentence)
                    .note("whoever reads the public key could sign with it"),
            );
        }
    }
}

/// Keys are fetched from where `jwks` says, or from where the issuer says.
fn report_sources(provider: &Table, findings: &mut Findings) {
    let (key, entry) = match provider.get("jwks") {
        Some(entry) if matches!(entry.node.value, Value::String(_)) => ("jwks", Some(entry)),
        Some(_) => ("issuer", provider.get("issuer")),
        None => return,
    };
    if let Some(Entry { node: Node { value: Value::String(text), span }, .. }) = entry
        && !text.starts_with("https://")
    {
        let sentence = format!("`{key}` must be https");
        findings.report(
            Problem::new(Code::JwksNotHttps, *span, sentence)
                .note("whoever answers in its place could make every token valid"),
        );
    }
}
