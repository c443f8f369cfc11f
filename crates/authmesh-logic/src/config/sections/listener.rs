//! Reads one place where requests come in, and refuses to open it unencrypted to other machines.

use alloc::format;
use alloc::string::ToString;

use super::words::is_local;
use crate::config::findings::Written;
use crate::config::reader::Reader;
use crate::config::{Code, ListenerConfig, Problem, Span, TlsMode};
use crate::discovery::Address;

pub(in crate::config) fn read_listener(
    mut reader: Reader<'_, '_>,
) -> Option<Written<ListenerConfig>> {
    let name = reader.name("name");
    let name = reader.required("name", name);
    if let Some(name) = &name {
        reader.findings.listener_names.push(name.with(name.value.to_string()));
    }
    let address = reader.address("address");
    let address = reader.required("address", address);
    if let Some(address) = &address {
        let who = reader.title().to_string();
        reader.listens(address, who);
    }
    reader.choice("protocol", &[("http", ())], &["tcp"]);
    let has_tls = reader.has("tls");
    let tls = reader.table("tls", "listener.tls").and_then(read_tls);
    let forward_to = reader.service("forward_to");
    let span = reader.span();
    if let Some(address) = &address {
        refuse_exposed(&mut reader, address, has_tls, tls.as_ref());
    }
    if let Some(tls) = &tls {
        note_needs(&mut reader, tls, &name);
    }
    reader.deny_rest();
    let listener = ListenerConfig {
        name: name?.value.to_string(),
        address: address?.value,
        tls: tls.map_or(TlsMode::Plaintext, |tls| tls.value),
        forward_to: forward_to.map(|service| service.value),
    };
    Some(Written { value: listener, key: span, span })
}

fn read_tls(mut reader: Reader<'_, '_>) -> Option<Written<TlsMode>> {
    type Mode = fn(bool) -> TlsMode;
    let modes: [(&str, Mode); 4] = [
        ("mutual", |allow_tls12| TlsMode::Mutual { allow_tls12 }),
        ("server", |allow_tls12| TlsMode::Server { allow_tls12 }),
        ("permissive", |allow_tls12| TlsMode::Permissive { allow_tls12 }),
        ("plaintext", |_| TlsMode::Plaintext),
    ];
    let mode = reader.choice("mode", &modes, &[]);
    let mode = reader.required("mode", mode);
    let version = reader.choice("min_version", &[("1.2", true), ("1.3", false)], &[]);
    let mode = mode.map(|mode| mode.with((mode.value)(version.is_some_and(|v| v.value))));
    if let (Some(Written { value: TlsMode::Plaintext, .. }), Some(version)) = (&mode, &version) {
        reader.no_effect(version.key, "min_version", "with `mode = \"plaintext\"`");
    }
    reader.deny_rest();
    mode
}

/// Notes what the mode needs elsewhere in the file, and says what it gives away.
fn note_needs(reader: &mut Reader<'_, '_>, tls: &Written<TlsMode>, name: &Option<Written<&str>>) {
    match tls.value {
        TlsMode::Plaintext => {}
        TlsMode::Server { .. } => reader.findings.certificate_meant.push(tls.with("`server`")),
        TlsMode::Mutual { .. } => reader.findings.trust_meant.push(tls.with("`mutual`")),
        TlsMode::Permissive { .. } => {
            reader.findings.trust_meant.push(tls.with("`permissive`"));
            let name = name.as_ref().map_or("…", |name| name.value);
            let sentence = format!("listener `{name}` also takes callers that prove nothing");
            reader.report(
                Problem::new(Code::PermissiveTls, tls.span, sentence)
                    .note("passwords and tokens of such callers could be read on the way")
                    .help("mode = \"mutual\", once every caller has a certificate"),
            );
        }
    }
}

fn refuse_exposed(
    reader: &mut Reader<'_, '_>,
    address: &Written<Address>,
    has_tls: bool,
    tls: Option<&Written<TlsMode>>,
) {
    let place: Span = match tls {
        Some(Written { value: TlsMode::Plaintext, span, .. }) => *span,
        Some(_) => return,
        // A faulty `tls` has its own problem, and does not mean plaintext.
        None if has_tls => return,
        None => address.span,
    };
    if is_local(&address.value) {
        return;
    }
    let sentence = format!("{} would take unencrypted connections", reader.title());
    reader.report(
        Problem::new(Code::PlaintextExposed, place, sentence)
            .note("passwords and tokens could be read on the way")
            .help("tls = { mode = \"mutual\" }, or an address on loopback"),
    );
}
