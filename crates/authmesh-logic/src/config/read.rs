//! Reads a whole configuration: as written in, as meant out, every problem with its place.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::access::Surroundings;
use super::findings::{Findings, Outside, Written};
use super::merge::{VERSION, report_version};
use super::reader::Reader;
use super::sections::{
    ReadPolicy, read_accepted, read_admin, read_authorization, read_headers, read_identity,
    read_limits, read_listener, read_metrics, read_network, read_policy, read_policy_test,
    read_provider, read_registry, read_route, read_service,
};
use super::settings::Settings;
use super::tree::{Span, Tree};
use super::{
    Acceptance, Code, MeshConfig, Origin, PolicyConfig, Problem, access, crossing, inline, merge,
    overlap,
};

/// What reading gave.
pub struct Reading {
    /// The configuration, unless an error was found.
    pub config: Option<MeshConfig>,
    /// Everything that is wrong, in the order of the text.
    pub problems: Vec<Problem>,
    /// What the text speaks of and does not contain.
    pub outside: Outside,
    /// Every key that is written; whole only where no error was found.
    pub settings: Settings,
    /// The weaker settings that somebody answers for.
    pub accepted: Vec<Acceptance>,
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
    let config = read_root(Reader::top(title, &root, top, &mut findings));
    crossing::report_unknown(&mut findings, &config);
    overlap::report_overlaps(&mut findings);
    let Findings { mut problems, outside, broken, record, accepted, .. } = findings;
    // A faulty value gives follow-ups where the text around it is damaged.
    problems.retain(|problem| {
        problem.code == Code::InlineSecret
            || !damage.iter().any(|damage| damage.touches(problem.span))
    });
    problems.sort_by_key(|problem| (problem.span.file, problem.span.start));
    let settings = record.into_settings();
    Reading {
        config: (!broken && damage.is_empty()).then_some(config),
        problems,
        outside,
        settings,
        accepted,
    }
}

fn read_root(mut reader: Reader<'_, '_>) -> MeshConfig {
    let mut config = MeshConfig::default();
    read_version(&mut reader);
    // The files were read already; what is left is whether the list is one.
    reader.strings("include");
    let accepted = read_accepted(&mut reader);
    reader.findings.accepted = accepted;
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
    let mut services = Vec::new();
    // By name already: a table is ordered by its keys.
    reader.each_by_name("service", "service", |name, reader| {
        services.push((String::from(name.value), reader.span()));
        config.services.extend(read_service(&name, reader));
    });
    crossing::report_routes(&routes, &listeners, &config.services, reader.findings);
    read_access(
        &mut reader,
        &mut config,
        Surroundings {
            default: authorization,
            listeners: &listeners,
            services: &services,
            is_whole: true,
        },
    );
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

fn read_access(reader: &mut Reader<'_, '_>, config: &mut MeshConfig, around: Surroundings<'_>) {
    let mut providers = Vec::new();
    reader
        .each_by_name("jwt", "jwt", |name, reader| providers.extend(read_provider(&name, reader)));
    let before = reader.findings.problems.len();
    let mut policies = Vec::new();
    reader.each("policy", |reader| policies.extend(read_policy(reader, &providers)));
    let mut tests = Vec::new();
    reader.each("policy_test", |reader| tests.extend(read_policy_test(reader, &providers)));
    let is_whole = reader.findings.problems.len() == before;
    access::report_access(reader, &policies, &Surroundings { is_whole, ..around });
    let outside = &mut reader.findings.outside;
    outside.policies = policies.iter().map(|policy| policy.value.name).collect();
    outside.policy_tests = tests.iter().map(|test| test.span).collect();
    let policy = |policy: Written<ReadPolicy>| PolicyConfig {
        rule: policy.value.rule,
        origin: Origin::default(),
    };
    config.security.providers = providers;
    config.security.policies = policies.into_iter().map(policy).collect();
    config.security.policy_tests = tests.into_iter().map(|test| test.value).collect();
}
