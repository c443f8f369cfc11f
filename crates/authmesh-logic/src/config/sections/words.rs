//! Names, addresses and references: texts that must have a form.

use alloc::format;
use alloc::string::{String, ToString};
use core::net::SocketAddr;

use crate::config::findings::{Listening, Written};
use crate::config::reader::Reader;
use crate::config::{Code, Problem, Span};
use crate::discovery::{Address, AddressError, ServiceName};

impl<'tree> Reader<'tree, '_> {
    /// A name of our own making.
    pub(super) fn name(&mut self, key: &'static str) -> Option<Written<&'tree str>> {
        let text = self.string(key)?;
        if text.value.parse::<ServiceName>().is_ok() {
            return Some(text);
        }
        let sentence = format!("`{key}` is not a name");
        self.report(Problem::new(Code::NotAllowed, text.span, sentence).help(NAME_HELP));
        None
    }

    /// The name of a service that must exist.
    pub(super) fn service(&mut self, key: &'static str) -> Option<Written<ServiceName>> {
        let text = self.name(key)?;
        self.findings.services_meant.push(text.with(text.value.to_string()));
        Some(text.with(text.value.parse().ok()?))
    }

    pub(super) fn address(&mut self, key: &'static str) -> Option<Written<Address>> {
        let text = self.string(key)?;
        self.as_address(text)
    }

    pub(super) fn as_address(&mut self, text: Written<&str>) -> Option<Written<Address>> {
        match text.value.parse() {
            Ok(address) => Some(text.with(address)),
            Err(fault) => {
                self.report(bad_address(text.value, text.span, fault));
                None
            }
        }
    }

    /// An address that must be TCP.
    pub(super) fn tcp_address(&mut self, key: &'static str) -> Option<Written<SocketAddr>> {
        let address = self.address(key)?;
        if let Address::Tcp(tcp) = address.value {
            return Some(address.with(tcp));
        }
        let sentence = format!("`{key}` of {} must be `ip:port`", self.title());
        self.report(Problem::new(Code::BadAddress, address.span, sentence));
        None
    }

    /// Notes that `who` listens at an address, to find those that are used twice.
    pub(super) fn listens(&mut self, address: &Written<Address>, who: impl Into<String>) {
        let (address, span) = (address.value.clone(), address.span);
        self.findings.listening.push(Listening { address, span, who: who.into() });
    }

    /// An absolute path that can be a Unix socket.
    pub(super) fn socket_path(&mut self, key: &'static str) -> Option<Written<&'tree str>> {
        let text = self.string(key)?;
        match format!("unix:{}", text.value).parse::<Address>() {
            Ok(_) => Some(text),
            Err(fault) => {
                self.report(Problem::new(Code::BadAddress, text.span, fault.to_string()));
                None
            }
        }
    }

    /// A path on disk.
    pub(super) fn path(&mut self, key: &'static str) -> Option<Written<&'tree str>> {
        let text = self.string(key)?;
        if !text.value.is_empty() && !text.value.contains('\0') {
            return Some(text);
        }
        let sentence = format!("`{key}` is not a path");
        self.report(Problem::new(Code::NotAllowed, text.span, sentence));
        None
    }
}

pub(super) const NAME_HELP: &str = "a name has 1 to 63 lower-case letters, digits, `-`, `_` and \
                                    `.`, and begins with a letter or digit";

/// Whether only this machine can reach `address`.
pub(in crate::config) fn is_local(address: &Address) -> bool {
    match address {
        Address::Tcp(address) => address.ip().to_canonical().is_loopback(),
        Address::Unix(_) => true,
    }
}

fn bad_address(text: &str, span: Span, fault: AddressError) -> Problem {
    let (sentence, help) = match fault {
        AddressError::PortMissing if text.contains(':') => {
            ("this IPv6 address is ambiguous: its port may be missing".to_string(), bracketed(text))
        }
        AddressError::PortMissing => {
            ("an address needs a port".to_string(), Some(format!("\"{text}:8443\"")))
        }
        AddressError::BracketsMissing => (fault.to_string(), bracketed(text)),
        AddressError::NotAnAddress => (format!("this is {fault}"), Some(instead_of(text))),
        AddressError::PathNotAbsolute | AddressError::PathUnusable => (fault.to_string(), None),
    };
    let problem = Problem::new(Code::BadAddress, span, sentence);
    match help {
        Some(help) => problem.help(help),
        None => problem,
    }
}

/// What to write instead of a text that is no address.
fn instead_of(text: &str) -> String {
    if let Some((_, rest)) = text.split_once("://") {
        let place = rest.split('/').next().unwrap_or_default();
        return format!("an address has neither scheme nor path; write \"{place}\" if that is one");
    }
    match text.rsplit_once(':') {
        Some(("localhost", port)) if port.parse::<u16>().is_ok() => format!("\"127.0.0.1:{port}\""),
        Some((host, port)) if host.parse::<core::net::IpAddr>().is_ok() => {
            format!("a port is a number from 1 to 65535, and `{port}` is none")
        }
        _ => "names of hosts are not resolved here".to_string(),
    }
}

/// The address with its last part as the port.
fn bracketed(text: &str) -> Option<String> {
    let (address, port) = text.rsplit_once(':')?;
    port.parse::<u16>().ok()?;
    address.parse::<core::net::Ipv6Addr>().ok()?;
    Some(format!("\"[{address}]:{port}\""))
}
