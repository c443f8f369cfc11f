//! Reads a request that came whole and writes what goes upstream.

use std::borrow::Cow;

use authmesh::ServiceClient;
use authmesh::worker::{RawFields, RawHead, RawRequest, RequestLine};
use authmesh_logic::hygiene::{self, Client, Plain, forward};
use authmesh_logic::request_head::{Fields, HttpVersion, RequestHead};
use authmesh_logic::routing;

use crate::access::{Admitted, SUBJECT};
use crate::entrance::Entrance;
use crate::request_id::{REQUEST_ID, RequestId};
use crate::table::{Destination, Table};

/// A request that may go on.
pub(super) struct Taken {
    pub(super) service: ServiceClient,
    pub(super) request: RawRequest,
    pub(super) request_id: RequestId,
    /// Whether the client ends its connection after it.
    pub(super) closes: bool,
}

/// What the bytes that have come are.
pub(super) enum Found {
    /// A request, and how many bytes it is.
    Whole(Taken, usize),
    /// The beginning of one. `lacks_body`: its head is whole.
    Part { lacks_body: bool },
    /// Something for the long way.
    Odd,
}

/// The largest body that is taken, in bytes. A larger one is passed on while it comes.
const LARGEST_BODY: u64 = 64 * 1024;

/// Finds the request at the start of `bytes`. `memory` is what it is written into.
pub(super) fn find(
    table: &Table,
    entrance: &Entrance<'_>,
    head: &mut RawHead,
    bytes: &mut [u8],
    memory: &mut Vec<u8>,
) -> Found {
    let line = match head.read_request(bytes) {
        Ok(Some(line)) => line,
        Ok(None) => return Found::Part { lacks_body: false },
        Err(_) => return Found::Odd,
    };
    take(table, entrance, head, &line, bytes, memory).unwrap_or(Found::Odd)
}

/// `None` for the long way.
fn take(
    table: &Table,
    entrance: &Entrance<'_>,
    head: &RawHead,
    line: &RequestLine,
    bytes: &[u8],
    memory: &mut Vec<u8>,
) -> Option<Found> {
    let fields = head.fields(bytes);
    let method = str::from_utf8(bytes.get(line.method.clone())?).ok()?;
    let target = str::from_utf8(bytes.get(line.target.clone())?).ok()?;
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let view = RequestHead {
        method,
        version: HttpVersion::Http11,
        scheme: None,
        authority: None,
        path,
        query,
        fields: &fields,
    };
    hygiene::request::check(&view, &entrance.bounds(&table.limits)).ok()?;
    let Plain { body, closes } = hygiene::plain(&view)?;
    let Ok(Cow::Borrowed(normal)) = hygiene::path::normalise(path) else { return None };
    if normal != path || body > table.limits.body.unwrap_or(u64::MAX).min(LARGEST_BODY) {
        return None;
    }
    let end = head.end() + usize::try_from(body).ok()?;
    let Some(body) = bytes.get(head.end()..end) else {
        return Some(Found::Part { lacks_body: true });
    };

    // Who can open a Unix socket of ours was let in by its file's mode.
    let peer = entrance.peer;
    let client = peer.map(|peer| Client::of(peer.address, &table.trusted, &fields));
    let from_trusted = client.is_none_or(|client| client.from_trusted);
    let identity_header = table.identity_header.as_str();
    let travelling = Travelling { fields, from_trusted, identity_header };
    let host = routing::host_of(hygiene::request::authority(&view));
    let Destination::Service(service) = table.find(entrance.listener, method, host, path) else {
        return None;
    };
    let passing = RequestHead { fields: &travelling, ..view };
    if !service.takes_raw() {
        return None;
    }
    let admitted = table.access.pass(entrance.caller(client), service.name(), &passing)?;

    let request_id = RequestId::of(&fields, from_trusted);
    let mut written = std::mem::take(memory);
    written.clear();
    written.reserve(end + ADDED);
    for part in [method, " ", target, " HTTP/1.1\r\n"] {
        written.extend_from_slice(part.as_bytes());
    }
    travelling.write(entrance, client, &admitted, &request_id, &mut written);
    written.extend_from_slice(body);
    let request = RawRequest::new(written);
    Some(Found::Whole(Taken { service, request, request_id, closes }, end))
}

/// Room for the fields that are added, in bytes; more is found if it is needed.
const ADDED: usize = 192;

/// The fields of a request that travel upstream.
struct Travelling<'a> {
    fields: RawFields<'a>,
    from_trusted: bool,
    identity_header: &'a str,
}

impl Travelling<'_> {
    fn travels(&self, name: &str) -> bool {
        forward::travels_upstream(name, self.from_trusted)
            && !hygiene::is_same_field(self.identity_header, name)
    }

    /// Writes the fields of the request that goes upstream, and the line that ends its head.
    fn write(
        &self,
        entrance: &Entrance<'_>,
        client: Option<Client>,
        admitted: &Admitted,
        request_id: &RequestId,
        written: &mut Vec<u8>,
    ) {
        let own_list = entrance.peer.zip(client);
        let mut says_protocol = false;
        for (name, value) in self.fields.iter().filter(|(name, _)| self.travels(name)) {
            match name {
                "x-forwarded-for" if own_list.is_some() => {}
                "authorization" if admitted.takes_token() => {}
                name if name == REQUEST_ID.as_str() => {}
                name => {
                    says_protocol |= name == "x-forwarded-proto";
                    write_field(written, name, value);
                }
            }
        }
        if let Some((peer, client)) = own_list {
            if client.is_peer_alone(peer.address) {
                write_field(written, "x-forwarded-for", peer.text.as_bytes());
            } else {
                let mut list = String::new();
                client.write_forwarded_for(peer.address, &self.fields, &mut list);
                write_field(written, "x-forwarded-for", list.as_bytes());
            }
        }
        if let Some(identity) = entrance.identity_field {
            write_field(written, self.identity_header, identity.as_bytes());
        }
        if let Some(subject) = admitted.subject() {
            write_field(written, SUBJECT.as_str(), subject.as_bytes());
        }
        if !says_protocol {
            let scheme: &[u8] = if entrance.is_tls { b"https" } else { b"http" };
            write_field(written, "x-forwarded-proto", scheme);
        }
        write_field(written, REQUEST_ID.as_str(), request_id.text());
        written.extend_from_slice(b"\r\n");
    }
}

impl Fields for Travelling<'_> {
    fn first(&self, name: &str) -> Option<&[u8]> {
        if self.travels(name) { self.fields.named(name) } else { None }
    }

    fn count(&self, name: &str) -> usize {
        if self.travels(name) { self.fields.count(name) } else { 0 }
    }

    fn each(&self, visit: &mut dyn FnMut(&str, &[u8])) {
        for (name, value) in self.fields.iter().filter(|(name, _)| self.travels(name)) {
            visit(name, value);
        }
    }
}

/// Writes one field.
pub(super) fn write_field(written: &mut Vec<u8>, name: &str, value: &[u8]) {
    written.extend_from_slice(name.as_bytes());
    written.extend_from_slice(b": ");
    written.extend_from_slice(value);
    written.extend_from_slice(b"\r\n");
}
