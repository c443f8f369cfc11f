//! Reads whether this process keeps a registry, where workloads reach it, and who may register.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::words::{NAME_HELP, is_local};
use crate::config::findings::Written;
use crate::config::reader::Reader;
use crate::config::tree::{Node, Value};
use crate::config::{Code, Problem, RegistryConfig};
use crate::discovery::registry::Registrants;
use crate::discovery::{Address, ServiceName};

pub(in crate::config) fn read_registry(mut reader: Reader<'_, '_>) -> RegistryConfig {
    let kind = reader.choice("kind", &[("embedded", true), ("none", false)], &["etcd"]);
    let kind = reader.required("kind", kind);
    let address = reader.address("address");
    let persist = reader.path("persist");
    if let Some(address) = &address {
        reader.listens(address, "`[registry]`");
        if !is_local(&address.value) {
            let sentence = "the registry would be open to other machines without TLS";
            reader.report(
                Problem::new(Code::PlaintextExposed, address.span, sentence)
                    .note("who registers gets requests meant for a service")
                    .help("address = \"unix:/run/authmesh/registry.sock\""),
            );
        }
    }
    let is_embedded = kind.is_none_or(|kind| kind.value);
    let registrants = read_registrants(&mut reader, address.as_ref(), is_embedded);
    if !is_embedded {
        for key in ["address", "persist", "default", "uids"] {
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
        persist: persist.map(|path| path.value.into()),
        registrants,
    }
}

/// Who may register. Where nothing proves who asks, letting everybody in must be written.
fn read_registrants(
    reader: &mut Reader<'_, '_>,
    address: Option<&Written<Address>>,
    is_embedded: bool,
) -> Registrants {
    let default = reader.choice("default", &[("deny", false), ("allow", true)], &[]);
    let users = users(reader);
    let allows_everyone = default.is_some_and(|default| default.value);
    if is_embedded {
        match address.map(|address| (address, &address.value)) {
            None if !reader.has("address") => {
                for key in ["default", "uids"] {
                    if let Some(place) = reader.place(key) {
                        reader.no_effect(place, key, "without `address`");
                    }
                }
            }
            Some((_, Address::Unix(_))) if allows_everyone => {
                if let Some(users) = &users {
                    reader.no_effect(users.key, "uids", "with `default = \"allow\"`");
                }
            }
            Some((address, Address::Tcp(_))) => {
                if let Some(users) = &users {
                    let why = "on TCP: only a Unix socket says which user asks";
                    reader.no_effect(users.key, "uids", why);
                }
                if !allows_everyone && is_local(&address.value) {
                    let sentence = "on TCP nothing says who registers, so nobody may";
                    reader.report(
                        Problem::new(Code::NoPolicy, address.span, sentence)
                            .note(
                                "`default = \"allow\"` lets every program of this machine register",
                            )
                            .help("address = \"unix:/run/authmesh/registry.sock\""),
                    );
                }
            }
            _ => {}
        }
    }
    match users {
        _ if allows_everyone => Registrants::Anyone,
        Some(users) => Registrants::Users(users.value),
        None => Registrants::Owner,
    }
}

/// The services that each user may register, by its number.
fn users(reader: &mut Reader<'_, '_>) -> Option<Written<BTreeMap<u32, Box<[ServiceName]>>>> {
    let entry = reader.take("uids")?;
    let Value::Table(table) = &entry.node.value else {
        reader.wrong_type(&entry.node, "a table like { 1001 = \"token\" }");
        return None;
    };
    let mut users = BTreeMap::new();
    for (user, services) in table {
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
    Some(Written { value: users, key: entry.key, span: entry.node.span })
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
