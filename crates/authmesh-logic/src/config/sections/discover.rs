//! Reads where the instances of a service are learned.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::vec::Vec;

use crate::config::reader::Reader;
use crate::config::{Code, DiscoverySource, Problem};
use crate::discovery::Address;

pub(super) fn read_source(reader: &mut Reader<'_, '_>) -> Option<DiscoverySource> {
    let title = reader.title();
    let both = format!("{title} has either `endpoints` or `discover`, not both");
    let neither = format!("{title} needs `endpoints` or `discover`");
    let endpoints = reader.has("endpoints").then(|| read_endpoints(reader));
    let discover = reader.take("discover");
    if let Some(discover) = discover {
        let source = reader.table("discover", "discover").and_then(read_discover);
        if endpoints.is_some() {
            reader.report(Problem::new(Code::MoreThanOne, discover.key, both));
        }
        return source;
    }
    if endpoints.is_none() {
        reader.report(
            Problem::new(Code::NoneOfThem, reader.span(), neither)
                .help("endpoints = [\"127.0.0.1:3000\"]"),
        );
    }
    endpoints.flatten().map(DiscoverySource::Static)
}

fn read_endpoints(reader: &mut Reader<'_, '_>) -> Option<Vec<Address>> {
    let texts = reader.strings("endpoints")?;
    if reader.is_empty_array("endpoints") {
        let sentence = "`endpoints` is empty: every request would be refused";
        reader.report(Problem::new(Code::NoneOfThem, texts.span, sentence));
    }
    let mut seen = BTreeSet::new();
    let mut endpoints = Vec::new();
    for text in texts.value {
        let Some(address) = reader.as_address(text) else { continue };
        if matches!(&address.value, Address::Tcp(tcp) if tcp.port() == 0) {
            let sentence = "nothing can be reached at port 0";
            reader.report(Problem::new(Code::BadAddress, address.span, sentence));
        } else if !seen.insert(address.value.clone()) {
            let sentence = format!("endpoint `{}` is listed twice", address.value);
            reader.report(Problem::new(Code::AddressTwice, address.span, sentence));
        }
        endpoints.push(address.value);
    }
    Some(endpoints)
}

fn read_discover(mut reader: Reader<'_, '_>) -> Option<DiscoverySource> {
    let registry = reader.boolean("registry");
    let file = reader.path("file");
    if let Some(registry) = &registry {
        if registry.value {
            reader.findings.registry_meant.push(registry.span);
        } else {
            let sentence = "`registry` takes `true`; leave it out instead";
            reader.report(Problem::new(Code::NotAllowed, registry.span, sentence));
        }
    }
    let keys = ["registry", "file", "dns"];
    match keys.iter().filter(|key| reader.has(key)).count() {
        0 => {
            let sentence = "`discover` needs `registry` or `file`";
            let problem = Problem::new(Code::NoneOfThem, reader.span(), sentence);
            reader.report(problem.help("discover = { registry = true }"));
        }
        1 => {}
        _ => {
            let sentence = "`discover` has one of `registry` and `file`";
            reader.report(Problem::new(Code::MoreThanOne, reader.span(), sentence));
        }
    }
    reader.deny_rest();
    match (registry, file) {
        (Some(_), _) => Some(DiscoverySource::Registry),
        (None, file) => file.map(|path| DiscoverySource::File(path.value.into())),
    }
}
