//! Reads a whole configuration: as written in, as meant out, every problem with its place.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::findings::{Findings, Outside, Written};
use super::merge::{VERSION, report_version};
use super::reader::Reader;
use super::sections::{
    is_local, read_admin, read_authorization, read_headers, read_identity, read_limits,
    read_listener, read_metrics, read_network, read_registry, read_route, read_service,
};
use super::tree::{Span, Tree};
use super::{
    Code, DefaultAccess, ListenerConfig, MeshConfig, Problem, crossing, inline, merge, overlap,
};

/// What reading gave.
pub struct Reading {
    /// The configuration, unless an error was found.
    pub config: Option<MeshConfig>,
    /// Everything that is wrong, in the order of the text.
    pub problems: Vec<Problem>,
    /// What the text speaks of and does not contain.
    pub outside: Outside,
}

/// Reads the main file, which comes first, and those it includes.
///
/// Whatever is wrong is reported; where the text itself is damaged, what merely seems to be missing
/// is not.
#[must_use]
pub fn read(trees: Vec<Tree>) -> Reading {
    let mut findings = Findings::default();
    let damage: Vec<Span> = trees.iter().flat_map(|tree| tree.damage.iter().copied()).collect();
    findings.damaged = !damage.is_empty();
    for tree in &trees {
        inline::report_inline(&tree.root, &mut findings);
    }
    let main = trees.first().map_or(0, |tree| tree.file);
    let root = merge::merged(trees, &mut findings);
    let top = Span { file: main, start: 0, end: 0 };
    let title = String::from("the file");
    let config = read_root(Reader::new("", title, &root, top, &mut findings));
    crossing::report_unknown(&mut findings, &config);
    overlap::report_overlaps(&mut findings);
    let Findings { mut problems, outside, broken, .. } = findings;
    // A faulty value gives follow-ups where the text around it is damaged.
    problems.retain(|problem| {
        problem.code == Code::InlineSecret
            || !damage.iter().any(|damage| damage.touches(problem.span))
    });
    problems.sort_by_key(|problem| (problem.span.file, problem.span.start));
    Reading { config: (!broken && damage.is_empty()).then_some(config), problems, outside }
}

fn read_root(mut reader: Reader<'_, '_>) -> MeshConfig {
    let mut config = MeshConfig::default();
    read_version(&mut reader);
    // The files were read already; what is left is whether the list is one.
    reader.strings("include");
    let authorization = reader.section("authorization").and_then(read_authorization);
    config.security.authorization = authorization.map(|access| access.value);
    config.security.identity = reader.section("identity").and_then(read_identity);
    config.security.admin = reader.section("admin").and_then(read_admin);
    config.metrics = reader.section("metrics").and_then(read_metrics);
    if let Some(registry) = reader.section("registry") {
        config.registry = read_registry(registry);
    }
    if let Some(network) = reader.section("network") {
        read_network(network, &mut config.network);
    }
    if let Some(limits) = reader.section("limits") {
        config.network.limits = read_limits(limits);
    }
    if let Some(headers) = reader.section("headers") {
        let headers = read_headers(headers);
        config.security.trusted_proxies = headers.trusted_proxies;
        config.security.identity_header = headers.identity;
    }
    let mut listeners = Vec::new();
    reader.each("listener", |reader| listeners.extend(read_listener(reader)));
    let mut routes = Vec::new();
    reader.each("route", |reader| routes.extend(read_route(reader)));
    // By name already: a table is ordered by its keys.
    reader.each_by_name("service", "service", |name, reader| {
        config.services.extend(read_service(&name, reader));
    });
    crossing::report_routes(&routes, &listeners, &config.services, reader.findings);
    report_access(&mut reader, &listeners, authorization);
    reader.deny_rest();
    config.network.listeners = listeners.into_iter().map(|listener| listener.value).collect();
    config.routes = routes.into_iter().map(|route| route.value.route).collect();
    config
}

fn read_version(reader: &mut Reader<'_, '_>) {
    let Some(entry) = reader.take("version") else {
        let problem = Problem::new(Code::Version, reader.span(), "missing key `version`");
        return reader.report(problem.help(format!("version = {VERSION}")));
    };
    report_version(&entry.node, reader.findings);
}

/// Requests may come in only where it is written what happens to them.
fn report_access(
    reader: &mut Reader<'_, '_>,
    listeners: &[Written<ListenerConfig>],
    authorization: Option<Written<DefaultAccess>>,
) {
    let Some(first) = reader.first_of("listener") else { return };
    // Rules are refused by name; that they alone are missing would be a false hint.
    if !reader.has("authorization") && !reader.has("policy") {
        let sentence = "nothing says who may do what";
        return reader.report(
            Problem::new(Code::NoPolicy, first, sentence)
                .note("a mesh that takes requests says what happens to those no rule speaks of")
                .help("[authorization]\ndefault = \"deny\"         # or \"allow\""),
        );
    }
    let exposed = listeners.iter().find(|listener| !is_local(&listener.value.address));
    if let (Some(Written { value: DefaultAccess::Allow, span, .. }), Some(listener)) =
        (authorization, exposed)
    {
        let sentence = format!(
            "everyone who reaches listener `{}` is let through to the services",
            listener.value.name
        );
        reader.report(
            Problem::new(Code::AllowsEveryone, span, sentence)
                .as_warning()
                .again(listener.span, "open to other machines"),
        );
    }
}
