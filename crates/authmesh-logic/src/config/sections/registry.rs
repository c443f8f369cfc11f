//! Reads whether this process keeps a registry, and where workloads reach it.

use super::words::is_local;
use crate::config::reader::Reader;
use crate::config::{Code, Problem, RegistryConfig};

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
    if !is_embedded {
        let why = "with `kind = \"none\"`";
        for (key, place) in [
            ("address", address.as_ref().map(|address| address.key)),
            ("persist", persist.as_ref().map(|path| path.key)),
        ] {
            if let Some(place) = place {
                reader.no_effect(place, key, why);
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
    }
}
