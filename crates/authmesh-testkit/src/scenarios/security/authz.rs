//! Cases of access rules: policies in Istio's form, a request, and what is to come of it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use authmesh_logic::authorization::{
    AccessRule, AccessRules, Action, AddressBlock, Attribute, CallerPattern, Claims, Clause,
    Condition, DefaultAccess, Inquiry, Mode, Principal, RequestPattern, RequestView, Selection,
    TextPattern, WrittenFields,
};
use authmesh_logic::hygiene::request::{Bounds, check};
use authmesh_logic::hygiene::{Client, path::normalise};
use authmesh_logic::request_head::{HttpVersion, RequestHead};
use authmesh_logic::routing::{HostPattern, Pattern, host_of};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::scenarios::Verdict;

/// Runs one case.
pub(super) fn run(case: &Value, _meta: &Value) -> Verdict {
    let case: Case = match serde_json::from_value(case.clone()) {
        Ok(case) => case,
        Err(error) => return Verdict::Unsupported(error.to_string()),
    };
    let rules = match case.input.policies.iter().map(rule).collect::<Result<Vec<_>, _>>() {
        Ok(rules) => rules,
        // A file with a rule that cannot be read is refused whole: nothing is allowed by it.
        Err(Unread::Refused) => Vec::new(),
        Err(Unread::Unsupported(why)) => return Verdict::Unsupported(why),
    };
    let found = decide(&AccessRules::new(rules, DefaultAccess::Deny), &case.input.request);
    let wanted = (case.expect.authmesh_strict, case.expect.decided_by);
    match found {
        Ok(found) if found == wanted => Verdict::Passed,
        Ok(found) => Verdict::Failed(format!("expected {wanted:?}, got {found:?}")),
        Err(why) => Verdict::Unsupported(why),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    input: Input,
    expect: Expect,
    #[serde(rename = "id")]
    _id: Ignored,
    #[serde(rename = "group")]
    _group: Ignored,
    #[serde(rename = "title")]
    _title: Ignored,
    #[serde(rename = "source")]
    _source: Ignored,
}

/// What is for people to read.
type Ignored = Option<Value>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    #[serde(rename = "kind")]
    _kind: Kind,
    policies: Vec<Policy>,
    request: Request,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Authz,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    authmesh_strict: String,
    decided_by: Option<String>,
    #[serde(rename = "istio")]
    _istio: Ignored,
    #[serde(rename = "notes")]
    _notes: Ignored,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Policy {
    name: String,
    action: String,
    #[serde(default)]
    rules: Vec<Rule>,
    #[serde(default)]
    dry_run: bool,
    #[serde(rename = "ref")]
    _reference: Ignored,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Rule {
    from: Vec<Source>,
    to: Vec<Operation>,
    when: Vec<When>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Source {
    principals: Vec<String>,
    not_principals: Vec<String>,
    request_principals: Vec<String>,
    not_request_principals: Vec<String>,
    ip_blocks: Vec<String>,
    not_ip_blocks: Vec<String>,
    remote_ip_blocks: Vec<String>,
    not_remote_ip_blocks: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Operation {
    methods: Vec<String>,
    not_methods: Vec<String>,
    paths: Vec<String>,
    not_paths: Vec<String>,
    hosts: Vec<String>,
    not_hosts: Vec<String>,
    ports: Vec<String>,
    not_ports: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct When {
    key: String,
    #[serde(default)]
    values: Vec<String>,
    #[serde(default)]
    not_values: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    principal: Option<String>,
    source_ip: IpAddr,
    host: String,
    method: Option<String>,
    path: Option<String>,
    port: u16,
    #[serde(default)]
    headers: BTreeMap<String, Vec<String>>,
    jwt: Option<Token>,
    connection: Option<String>,
}

#[derive(Deserialize)]
struct Token {
    iss: String,
    sub: String,
    #[serde(flatten)]
    claims: Map<String, Value>,
}

impl Claims for Token {
    fn issuer(&self) -> &str {
        &self.iss
    }

    fn subject(&self) -> &str {
        &self.sub
    }

    fn each_text(&self, name: &str, visit: &mut dyn FnMut(&str)) {
        match self.claims.get(name) {
            Some(Value::String(text)) => visit(text),
            Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).for_each(visit),
            _ => {}
        }
    }
}

/// Why a policy gives no rule.
enum Unread {
    /// It holds a value that our reader refuses.
    Refused,
    /// It says what ours cannot, and what.
    Unsupported(String),
}

fn rule(policy: &Policy) -> Result<AccessRule, Unread> {
    let action = match policy.action.as_str() {
        "ALLOW" => Action::Allow,
        "DENY" => Action::Deny,
        "REF" => return Err(Unread::Unsupported("rules are not referenced".to_owned())),
        other => return Err(Unread::Unsupported(format!("there is no action {other}"))),
    };
    Ok(AccessRule {
        name: policy.name.as_str().into(),
        action,
        mode: if policy.dry_run { Mode::Shadow } else { Mode::Enforced },
        service: None,
        clauses: policy.rules.iter().map(clause).collect::<Result<_, _>>()?,
    })
}

fn clause(rule: &Rule) -> Result<Clause, Unread> {
    Ok(Clause {
        from: rule.from.iter().map(caller).collect::<Result<_, _>>()?,
        to: rule.to.iter().map(request).collect::<Result<_, _>>()?,
        when: rule.when.iter().map(condition).collect::<Result<_, _>>()?,
    })
}

fn caller(source: &Source) -> Result<CallerPattern, Unread> {
    let principal = |text: &str| Principal::parse(text).ok();
    let pattern = |text: &str| TextPattern::parse(text).ok();
    Ok(CallerPattern {
        principals: selection(&source.principals, &source.not_principals, principal)?,
        token_principals: selection(
            &source.request_principals,
            &source.not_request_principals,
            pattern,
        )?,
        peers: selection(&source.ip_blocks, &source.not_ip_blocks, block)?,
        clients: selection(&source.remote_ip_blocks, &source.not_remote_ip_blocks, block)?,
    })
}

fn request(operation: &Operation) -> Result<RequestPattern, Unread> {
    let method = |text: &str| (!text.contains('*')).then(|| text.into());
    let path = |text: &str| Pattern::parse(text).ok();
    let host = |text: &str| HostPattern::parse(text).ok();
    let port = |text: &str| text.parse().ok();
    Ok(RequestPattern {
        methods: selection(&operation.methods, &operation.not_methods, method)?,
        paths: selection(&operation.paths, &operation.not_paths, path)?,
        hosts: selection(&operation.hosts, &operation.not_hosts, host)?,
        ports: selection(&operation.ports, &operation.not_ports, port)?,
    })
}

fn condition(when: &When) -> Result<Condition, Unread> {
    let inside = |start: &str| when.key.strip_prefix(start)?.strip_suffix(']');
    let attribute = match (inside("request.headers["), inside("request.auth.claims[")) {
        (Some(name), _) => Attribute::Header(name.to_ascii_lowercase().into()),
        (_, Some(name)) if !name.contains('[') => Attribute::Claim(name.into()),
        _ => return Err(Unread::Unsupported(format!("no condition on {}", when.key))),
    };
    let pattern = |text: &str| TextPattern::parse(text).ok();
    let values = selection(&when.values, &when.not_values, pattern)?;
    Ok(Condition { attribute, values })
}

fn selection<T>(
    any_of: &[String],
    none_of: &[String],
    read: impl Fn(&str) -> Option<T>,
) -> Result<Selection<T>, Unread> {
    let all = |texts: &[String]| {
        texts.iter().map(|text| read(text).ok_or(Unread::Refused)).collect::<Result<Vec<_>, _>>()
    };
    Ok(Selection { any_of: all(any_of)?, none_of: all(none_of)? })
}

fn block(text: &str) -> Option<AddressBlock> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address.parse().ok()?, prefix.parse().ok()?),
        None => {
            let address: IpAddr = text.parse().ok()?;
            (address, if address.is_ipv4() { 32 } else { 128 })
        }
    };
    AddressBlock::new(address, prefix)
}

/// What comes of the request, and the name of the rule that decided.
fn decide(rules: &AccessRules, request: &Request) -> Result<(String, Option<String>), String> {
    let (Some(method), Some(target), None) = (&request.method, &request.path, &request.connection)
    else {
        return Err("connections that do not speak HTTP are not served".to_owned());
    };
    let written = request.headers.iter().flat_map(|(name, values)| {
        values.iter().map(|value| (name.to_ascii_lowercase().into(), value.as_str().into()))
    });
    let host = [("host".into(), request.host.as_str().into())];
    let fields = WrittenFields(host.into_iter().chain(written).collect());
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target.as_str(), None),
    };
    let version = HttpVersion::Http11;
    let (scheme, authority) = (None, None);
    let head = RequestHead { method, version, scheme, authority, path, query, fields: &fields };
    if let Err(refusal) = check(&head, &Bounds::default()) {
        return Ok((format!("reject_{}", refusal.status), None));
    }
    let Ok(path) = normalise(path) else { return Ok(("reject_400".to_owned(), None)) };
    let decision = rules.decide(&Inquiry {
        service: "",
        identity: request.principal.as_deref(),
        peer: Some(request.source_ip),
        client: Some(Client::of(request.source_ip, &[], &fields).address),
        port: Some(request.port),
        request: Some(RequestView {
            method,
            host: host_of(&request.host),
            path: &path,
            fields: &fields,
        }),
        token: request.jwt.as_ref().map(|token| token as &dyn Claims),
    });
    let word = if decision.answer.is_allowed() { "allow" } else { "deny" };
    let by = decision.rule.and_then(|place| rules.rules().get(place));
    Ok((word.to_owned(), by.map(|rule| rule.name.to_string())))
}
