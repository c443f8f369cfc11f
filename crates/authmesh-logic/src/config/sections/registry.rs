//! Reads whether this process keeps a registry, where workloads reach it, and who may register.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::words::{NAME_HELP, is_local};
use crate::config::findings::Written;
use crate::config::reader::Reader;
use crate::config::tree::{Node, Table, Value};
use crate::config::{Code, Problem, RegistryConfig};
use crate::discovery::registry::Registrants;
use crate::discovery::{Address, ServiceName};
use crate::identity::SpiffeId;

pub(in crate::config) fn read_registry(mut reader: Reader<'_, '_>) -> RegistryConfig {
    let kind = reader.choice("kind", &[("embedded", true), ("none", false)], &["etcd"]);
    let kind = reader.required("kind", kind);
    let address = reader.address("address");
    let is_mutual = reader.has("tls");
    let tls = reader.table("tls", "registry.tls").and_then(read_tls);
    let persist = reader.path("persist");
    if let Some(address) = &address {
        reader.listens(address, "`[registry]`");
        if !is_mutual && !is_local(&address.value) {
            let sentence = "the registry would be open to other machines without TLS";
            reader.report(
                Problem::new(Code::PlaintextExposed, address.span, sentence)
                    .note("who registers gets requests meant for a service")
                    .help("tls = { mode = \"mutual\" }"),
            );
        }
    }
    let is_embedded = kind.is_none_or(|kind| kind.value);
    let registrants = read_registrants(&mut reader, address.as_ref(), is_mutual, is_embedded);
    if let (true, Some(tls)) = (is_embedded, &tls) {
        reader.findings.trust_meant.push(tls.with("`tls` of `[registry]`"));
    }
    if !is_embedded {
        for key in KEYS_OF_THE_DOOR.into_iter().chain(["persist"]) {
            if let Some(place) = reader.place(key) {
                reader.no_effect(place, key, "with `kind = \"none\"`");
            }
        }
    }
    reader.deny_rest();
    if !is_embedded {
        return RegistryConfig::None;
    }
    RegistryConfig::Embedded {
        address: address.map(|address| address.value),
        is_mutual,
        persist: persist.map(|path| path.value.into()),
        registrants,
    }
}

/// The keys that say something of the door.
const KEYS_OF_THE_DOOR: [&str; 5] = ["address", "tls", "default", "uids", "identities"];

fn read_tls(mut reader: Reader<'_, '_>) -> Option<Written<()>> {
    let mode = reader.choice("mode", &[("mutual", ())], &[]);
    let mode = reader.required("mode", mode);
    reader.deny_rest();
    mode
}

/// Who may register. Where nothing proves who asks, letting everybody in must be written.
fn read_registrants(
    reader: &mut Reader<'_, '_>,
    address: Option<&Written<Address>>,
    is_mutual: bool,
    is_embedded: bool,
) -> Registrants {
    let default = reader.choice("default", &[("deny", false), ("allow", true)], &[]);
    let users = users(reader);
    let workloads = workloads(reader);
    let allows_everyone = default.is_some_and(|default| default.value);
    if is_embedded {
        report_idle(reader, address, is_mutual, allows_everyone);
    }
    if let (true, Some(address @ Written { value: Address::Tcp(_), .. })) = (is_embedded, address)
        && !allows_everyone
    {
        refuse_nobody(reader, address, is_mutual);
    }
    match (is_mutual, users, workloads) {
        (true, ..) if allows_everyone => Registrants::AnyWorkload,
        (true, _, workloads) => Registrants::Workloads(workloads.unwrap_or_default()),
        (false, ..) if allows_everyone => Registrants::Anyone,
        (false, Some(users), _) => Registrants::Users(users),
        (false, None, _) => Registrants::Owner,
    }
}

/// Reports the keys that change nothing at a door of this kind.
fn report_idle(
    reader: &mut Reader<'_, '_>,
    address: Option<&Written<Address>>,
    is_mutual: bool,
    allows_everyone: bool,
) {
    const BY_DEFAULT: &str = "with `default = \"allow\"`";
    let idle: &[(&'static str, &str)] = match (address.map(|address| &address.value), is_mutual) {
        (None, _) if reader.has("address") => &[],
        (None, _) => &KEYS_OF_THE_DOOR.map(|key| (key, "without `address`")),
        (Some(Address::Unix(_)), _) => &[
            ("tls", "on a Unix socket: there the system says which user asks"),
            ("identities", "on a Unix socket: there `uids` says who may register"),
        ],
        (Some(Address::Tcp(_)), false) => &[
            ("uids", "on TCP: only a Unix socket says which user asks"),
            ("identities", "without `tls`: nothing proves an identity"),
        ],
        (Some(Address::Tcp(_)), true) => &[("uids", "with `tls`: there `identities` says it")],
    };
    let rules = ["uids", "identities"].map(|key| (key, BY_DEFAULT));
    let idle_rules = if allows_everyone { &rules[..] } else { &[] };
    let mut reported = Vec::new();
    for (key, why) in idle.iter().chain(idle_rules) {
        if let Some(place) = reader.place(key)
            && !reported.contains(key)
        {
            reported.push(*key);
            reader.no_effect(place, key, why);
        }
    }
}

/// Refuses a door on TCP that nobody could enter.
fn refuse_nobody(reader: &mut Reader<'_, '_>, address: &Written<Address>, is_mutual: bool) {
    let problem = match is_mutual {
        // A faulty table has its own problem.
        true if reader.has("identities") => return,
        true => {
            let sentence = "nobody is named who may register, so nobody may";
            Problem::new(Code::NoPolicy, address.span, sentence)
                .note("`default = \"allow\"` lets every workload that is believed register")
                .help("identities = { \"spiffe://corp.example/token\" = \"token\" }")
        }
        false if !is_local(&address.value) => return,
        false => {
            let sentence = "on TCP without TLS nothing says who registers, so nobody may";
            Problem::new(Code::NoPolicy, address.span, sentence)
                .note("`default = \"allow\"` lets every program of this machine register")
                .help("address = \"unix:/run/authmesh/registry.sock\"")
        }
    };
    reader.report(problem);
}

/// The services that each workload may register, by its SPIFFE ID.
fn workloads(reader: &mut Reader<'_, '_>) -> Option<BTreeMap<SpiffeId, Box<[ServiceName]>>> {
    let mut workloads = BTreeMap::new();
    for (name, services) in named(reader, "identities", "{ \"spiffe://…\" = \"token\" }")? {
        let text = Written { value: name.as_str(), key: services.key, span: services.key };
        let id = reader.workload(text);
        let services = services_of(reader, &services.node);
        if let Some(id) = id {
            workloads.insert(id.value, services.into());
        }
    }
    Some(workloads)
}

/// The services that each user may register, by its number.
fn users(reader: &mut Reader<'_, '_>) -> Option<BTreeMap<u32, Box<[ServiceName]>>> {
    let mut users = BTreeMap::new();
    for (user, services) in named(reader, "uids", "{ 1001 = \"token\" }")? {
        let number: Option<u32> = user.parse().ok();
        // `007` and `+7` are user 7 as well: then one user could stand there twice.
        let number = number.filter(|number| format!("{number}") == *user);
        if number.is_none() {
            let sentence = "a user id is a number from 0 to 4294967295";
            reader.report(Problem::new(Code::NotAllowed, services.key, sentence));
        }
        let services = services_of(reader, &services.node);
        if let Some(number) = number {
            users.insert(number, services.into());
        }
    }
    Some(users)
}

/// The entries of a table whose keys are names of the world outside.
fn named<'tree>(
    reader: &mut Reader<'tree, '_>,
    key: &'static str,
    example: &str,
) -> Option<&'tree Table> {
    let entry = reader.take(key)?;
    if let Value::Table(table) = &entry.node.value {
        return Some(table);
    }
    reader.wrong_type(&entry.node, &format!("a table like {example}"));
    None
}

fn services_of(reader: &mut Reader<'_, '_>, node: &Node) -> Vec<ServiceName> {
    let nodes = match &node.value {
        Value::Array(nodes) => &nodes[..],
        _ => core::slice::from_ref(node),
    };
    let mut services = Vec::new();
    for node in nodes {
        let Value::String(text) = &node.value else {
            reader.wrong_type(node, "the name of a service, or an array of names");
            continue;
        };
        match text.parse() {
            Ok(service) => services.push(service),
            Err(_) => {
                let sentence = String::from("this is not a name of a service");
                let problem = Problem::new(Code::NotAllowed, node.span, sentence);
                reader.report(problem.help(NAME_HELP));
            }
        }
    }
    services
}
