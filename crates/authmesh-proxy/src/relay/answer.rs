//! Writes the head of an answer for the client, and answers of our own.

use authmesh::worker::{Clock, RawFields, RawReply};
use authmesh_logic::framing::BodyEnd;
use authmesh_logic::hygiene::{self, forward};
use http::{HeaderValue, StatusCode, header};

use super::request::write_field;
use crate::refusal::Refusal;

/// Writes the head of an endpoint's answer. A refusal if it may not leave.
pub(super) fn write_head(
    written: &mut Vec<u8>,
    reply: &RawReply,
    closes: bool,
) -> Result<(), Refusal> {
    let (status, fields) = (reply.status(), reply.fields());
    let bounds = hygiene::response::Bounds::default();
    let Ok(verdict) = hygiene::response::check(status, &fields, None, &bounds) else {
        return Err(Refusal::new(StatusCode::BAD_GATEWAY, "upstream_reset"));
    };
    write_status(written, status, reply.reason());
    let mut is_dated = false;
    let names_fields = fields.named("connection").is_some();
    for (name, value) in fields.iter().filter(|(name, _)| forward::travels_downstream(name)) {
        if names_fields && ends_by_name(fields, name) {
            continue;
        }
        // The long way leaves out the length of what is not modified; nobody needs it.
        if name == "content-length" && (!verdict.length_travels || status == 304) {
            continue;
        }
        is_dated |= name == "date";
        write_field(written, name, value);
    }
    if matches!(reply.body_end(), BodyEnd::Chunks | BodyEnd::Connection) {
        write_field(written, "transfer-encoding", b"chunked");
    }
    end_head(written, is_dated, closes);
    Ok(())
}

/// Whether an answer's `Connection` names this field: then it ends at this hop (RFC 9110 §7.6.1). The
/// length stays whoever names it, as the body goes on as long as it says.
fn ends_by_name(fields: RawFields<'_>, name: &str) -> bool {
    let connections = fields.iter().filter(|(name, _)| *name == "connection");
    name != "content-length"
        && connections
            .flat_map(|(_, value)| hygiene::connection_names(value))
            .any(|named| named.eq_ignore_ascii_case(name))
}

/// Writes an answer of our own, its body unless the request was for the head alone. Whether the
/// connection ends with it.
pub(super) fn write_refusal(
    written: &mut Vec<u8>,
    refusal: Refusal,
    request_id: &HeaderValue,
    is_head: bool,
    closes: bool,
) -> bool {
    let answer = refusal.answer(request_id);
    let status = answer.status();
    let reason = status.canonical_reason().unwrap_or_default();
    write_status(written, status.as_u16(), reason.as_bytes());
    for (name, value) in answer.headers() {
        if name != header::CONNECTION {
            write_field(written, name.as_str(), value.as_bytes());
        }
    }
    let body = answer.into_body();
    write_field(written, "content-length", body.len().to_string().as_bytes());
    let closes = closes || refusal.close;
    end_head(written, false, closes);
    if !is_head {
        written.extend_from_slice(&body);
    }
    closes
}

fn write_status(written: &mut Vec<u8>, status: u16, reason: &[u8]) {
    let digit = |place: u16| b'0' + (status / place % 10) as u8;
    written.extend_from_slice(b"HTTP/1.1 ");
    written.extend_from_slice(&[digit(100), digit(10), digit(1), b' ']);
    written.extend_from_slice(reason);
    written.extend_from_slice(b"\r\n");
}

/// Ends a head. Whoever passes on an answer without a date dates it (RFC 9110 §6.6.1).
fn end_head(written: &mut Vec<u8>, is_dated: bool, closes: bool) {
    if !is_dated {
        let now = httpdate::fmt_http_date(Clock.time_of_day());
        write_field(written, "date", now.as_bytes());
    }
    if closes {
        write_field(written, "connection", b"close");
    }
    written.extend_from_slice(b"\r\n");
}
