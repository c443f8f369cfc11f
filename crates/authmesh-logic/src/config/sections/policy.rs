//! Reads one access rule: who may do what, or may not.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use super::blocks::block;
use super::conditions::read_conditions;
use super::route::{each, host, method, path};
use crate::authorization::{
    AccessRule, Action, AddressBlock, Attribute, CallerPattern, Clause, Condition, Mode, Principal,
    PrincipalError, RequestPattern, Selection, TextPattern,
};
use crate::config::findings::Written;
use crate::config::reader::Reader;
use crate::config::tree::{Node, Span, Value};
use crate::config::{Code, Problem};
use crate::jwt::Provider;

/// The word for callers that need not prove who they are.
const ANYONE: &str = "anyone";

/// A rule as read, with what is compared once everything is read.
pub(in crate::config) struct ReadPolicy {
    pub(in crate::config) rule: AccessRule,
    /// Where its name stands.
    pub(in crate::config) name: Span,
    /// Where the identities stand that it names.
    pub(in crate::config) from: Option<Span>,
    /// The ports it names.
    pub(in crate::config) ports: Option<Written<Vec<u16>>>,
}

pub(in crate::config) fn read_policy(
    mut reader: Reader<'_, '_>,
    providers: &[Provider],
) -> Option<Written<ReadPolicy>> {
    let name = reader.name("name");
    let name = reader.required("name", name);
    if let Some(name) = &name {
        reader.findings.policy_names.push(name.with(name.value.to_string()));
    }
    let actions = [Action::Allow, Action::Deny].map(|action| (action.word(), action));
    let action = reader.choice("action", &actions, &[]);
    let action = reader.required("action", action).map(|action| action.value);
    let modes = [("enforced", Mode::Enforced), ("shadow", Mode::Shadow)];
    let mode = reader.choice("mode", &modes, &[]).map_or(Mode::Enforced, |mode| mode.value);
    let service = reader.service("service").map(|service| service.value);
    let from = read_from(&mut reader, action);
    let caller = CallerPattern {
        principals: Selection {
            any_of: from.as_ref().map(|from| from.value.clone()).unwrap_or_default(),
            none_of: principals(&mut reader, "not_from"),
        },
        token_principals: Selection::default(),
        peers: Selection {
            any_of: blocks(&mut reader, "ip_blocks", action),
            none_of: blocks(&mut reader, "not_ip_blocks", None),
        },
        clients: Selection {
            any_of: blocks(&mut reader, "remote_ip_blocks", action),
            none_of: blocks(&mut reader, "not_remote_ip_blocks", None),
        },
    };
    let ports = read_ports(&mut reader, "ports");
    let asked = RequestPattern {
        methods: Selection {
            any_of: boxed(each(&mut reader, "methods", method, Code::NotAllowed)),
            none_of: boxed(each(&mut reader, "not_methods", method, Code::NotAllowed)),
        },
        paths: Selection {
            any_of: each(&mut reader, "paths", path, Code::WildcardInside),
            none_of: each(&mut reader, "not_paths", path, Code::WildcardInside),
        },
        hosts: Selection {
            any_of: each(&mut reader, "hosts", host, Code::NotAllowed),
            none_of: each(&mut reader, "not_hosts", host, Code::NotAllowed),
        },
        ports: Selection {
            any_of: ports.as_ref().map(|ports| ports.value.clone()).unwrap_or_default(),
            none_of: read_ports(&mut reader, "not_ports")
                .map(|ports| ports.value)
                .unwrap_or_default(),
        },
    };
    let mut when = read_conditions(&mut reader);
    when.extend(read_provider_meant(&mut reader, providers).map(issued_by));
    refuse_everyone(&mut reader, action);
    let span = reader.span();
    reader.deny_rest();
    let clause = Clause {
        from: if caller.is_anyone() { Vec::new() } else { Vec::from([caller]) },
        to: if asked == RequestPattern::default() { Vec::new() } else { Vec::from([asked]) },
        when,
    };
    let from = from.filter(|from| !from.value.is_empty()).map(|from| from.span);
    let name = name?;
    let clauses = Vec::from([clause]);
    let rule = AccessRule { name: name.value.into(), action: action?, mode, service, clauses };
    let value = ReadPolicy { rule, name: name.span, from, ports };
    Some(Written { value, key: span, span })
}

/// Who calls: identities, or nobody in particular where `anyone` is spelled out.
fn read_from(
    reader: &mut Reader<'_, '_>,
    action: Option<Action>,
) -> Option<Written<Vec<Principal>>> {
    if let Some(Node { value: Value::String(word), .. }) = reader.untaken("from") {
        let word = word == ANYONE;
        let text = reader.string("from")?;
        if !word {
            let sentence = "`from` is an array of SPIFFE IDs, or `anyone`";
            let problem = Problem::new(Code::NotAllowed, text.span, sentence);
            reader.report(problem.help(format!("from = [\"{}\"]", text.value)));
        }
        return None;
    }
    let texts = reader.strings("from")?;
    refuse_empty(reader, "from", texts.span);
    let mut principals = Vec::new();
    for text in &texts.value {
        let Some(principal) = principal(reader, text) else { continue };
        if principal.is_everyone() && action == Some(Action::Allow) {
            let sentence = "`*` allows everyone who has an identity, whoever gave it";
            reader.report(
                Problem::new(Code::AllowsEveryone, text.span, sentence)
                    .help("\"spiffe://TRUST_DOMAIN/*\", or from = \"anyone\""),
            );
        }
        principals.push(principal);
    }
    Some(texts.with(principals))
}

fn principals(reader: &mut Reader<'_, '_>, key: &'static str) -> Vec<Principal> {
    let Some(texts) = reader.strings(key) else { return Vec::new() };
    refuse_empty(reader, key, texts.span);
    texts.value.iter().filter_map(|text| principal(reader, text)).collect()
}

fn principal(reader: &mut Reader<'_, '_>, text: &Written<&str>) -> Option<Principal> {
    let fault = match Principal::parse(text.value) {
        Ok(principal) => {
            if let Some(domain) = principal.trust_domain() {
                reader.findings.domains_meant.push(text.with(domain.to_string()));
            }
            return Some(principal);
        }
        Err(fault) => fault,
    };
    reader.report(match fault {
        PrincipalError::WildcardInside => {
            Problem::new(Code::WildcardInside, text.span, "`*` must be a whole last segment")
                .note("`web*` would mean `web-of-somebody-else`, too")
        }
        PrincipalError::NotSpiffe(fault) => {
            Problem::new(Code::BadSpiffeId, text.span, fault.to_string())
                .help("\"spiffe://TRUST_DOMAIN/NAME\"")
        }
        PrincipalError::DomainAlone => {
            let sentence = "this names a trust domain and nobody in it";
            Problem::new(Code::BadSpiffeId, text.span, sentence)
                .help(format!("\"{}/*\" for everyone in it", text.value))
        }
    });
    None
}

fn blocks(
    reader: &mut Reader<'_, '_>,
    key: &'static str,
    wanted_by: Option<Action>,
) -> Vec<AddressBlock> {
    let Some(texts) = reader.strings(key) else { return Vec::new() };
    refuse_empty(reader, key, texts.span);
    let mut blocks = Vec::new();
    for text in texts.value {
        let Some(block) = block(reader, text) else { continue };
        if block.prefix() == 0 && wanted_by == Some(Action::Allow) {
            let sentence = "this block holds every address";
            reader.report(
                Problem::new(Code::AllowsEveryone, text.span, sentence)
                    .help("say from = \"anyone\" if everyone is meant"),
            );
        }
        blocks.push(block);
    }
    blocks
}

fn read_ports(reader: &mut Reader<'_, '_>, key: &'static str) -> Option<Written<Vec<u16>>> {
    let nodes = reader.array(key)?;
    refuse_empty(reader, key, nodes.span);
    let mut ports = Vec::new();
    for node in nodes.value {
        let Value::Integer(number) = node.value else {
            reader.wrong_type(node, "an integer");
            continue;
        };
        match u16::try_from(number) {
            Ok(port @ 1..) => ports.push(port),
            _ => reader.report(Problem::new(
                Code::NotAllowed,
                node.span,
                "a port is a number from 1 to 65535",
            )),
        }
    }
    Some(nodes.with(ports))
}

fn refuse_empty(reader: &mut Reader<'_, '_>, key: &'static str, span: Span) {
    if reader.is_empty_array(key) {
        let sentence = format!("`{key}` is empty, which means any and not none");
        let problem = Problem::new(Code::NotAllowed, span, sentence);
        reader.report(problem.help(format!("leave `{key}` out")));
    }
}

/// The token provider that is named; a faulty one has its own problems.
pub(super) fn read_provider_meant<'a>(
    reader: &mut Reader<'_, '_>,
    providers: &'a [Provider],
) -> Option<&'a Provider> {
    let name = reader.name("jwt")?;
    reader.findings.providers_meant.push(name.with(name.value.to_string()));
    providers.iter().find(|provider| *provider.name == *name.value)
}

/// A token must be there, and be of this provider.
fn issued_by(provider: &Provider) -> Condition {
    let issuer = TextPattern::exactly(&provider.tokens.issuer);
    let attribute = Attribute::Claim("iss".into());
    Condition { attribute, values: Selection::from(Vec::from([issuer])) }
}

/// A rule that allows says whom, or says aloud that it allows anyone.
fn refuse_everyone(reader: &mut Reader<'_, '_>, action: Option<Action>) {
    const NAMES_CALLERS: [&str; 7] = [
        "from",
        "not_from",
        "ip_blocks",
        "not_ip_blocks",
        "remote_ip_blocks",
        "not_remote_ip_blocks",
        "jwt",
    ];
    if action != Some(Action::Allow) || NAMES_CALLERS.iter().any(|key| reader.has(key)) {
        return;
    }
    let sentence = format!("{} allows everyone", reader.title());
    reader.report(
        Problem::new(Code::AllowsEveryone, reader.span(), sentence)
            .note("a rule that allows says whom")
            .help("from = [\"spiffe://TRUST_DOMAIN/NAME\"], or from = \"anyone\" if that is meant"),
    );
}

fn boxed(texts: Vec<alloc::string::String>) -> Vec<Box<str>> {
    texts.into_iter().map(Into::into).collect()
}
