//! Which requests can be passed on as they stand, field by field.

use super::forward::asks_for_trailers;
use super::identifiers::is_traceparent;
use crate::request_head::{HttpVersion, RequestHead};

/// What must be known of a plain request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plain {
    /// How many bytes its body has.
    pub body: u64,
    /// Whether the client ends its connection after it.
    pub closes: bool,
}

/// Whether a request that passed [`request::check`](super::request::check), and whose path is in its
/// normal form, needs nothing rewritten: fields may have to be left out and added, but none has to
/// be read together with another, and its body has a length.
///
/// `None` says only that it takes more than this to pass it on.
#[must_use]
pub fn plain(head: &RequestHead<'_>) -> Option<Plain> {
    let is_origin_form = head.scheme.is_none() && head.authority.is_none();
    let has_sound_query = head.query.is_none_or(|query| query.bytes().all(is_query_byte));
    if head.version != HttpVersion::Http11
        || !is_origin_form
        || !head.path.starts_with('/')
        || !has_sound_query
    {
        return None;
    }
    let mut plain = Plain { body: 0, closes: false };
    let mut is_plain = true;
    let (mut cookies, mut traces, mut connections) = (0, 0, 0);
    head.fields.each(&mut |name, value| match name {
        "transfer-encoding" | "upgrade" | "expect" | "te" | "trailer" => is_plain = false,
        "content-length" => match core::str::from_utf8(value).map(str::parse) {
            Ok(Ok(length)) => plain.body = length,
            _ => is_plain = false,
        },
        "cookie" => cookies += 1,
        "traceparent" => {
            traces += 1;
            is_plain &= is_traceparent(value);
        }
        "connection" => {
            connections += 1;
            plain.closes = value.eq_ignore_ascii_case(b"close");
            is_plain &= plain.closes || value.eq_ignore_ascii_case(b"keep-alive");
        }
        _ => {}
    });
    let is_single = cookies <= 1 && traces <= 1 && connections <= 1;
    (is_plain && is_single && !asks_for_trailers(head.fields)).then_some(plain)
}

/// RFC 3986 §3.4.
const fn is_query_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.' | b'_' | b'~' | b'!' | b'$'
                ..=b',' | b'/' | b':' | b';' | b'=' | b'?' | b'@'
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request_head::FieldList;

    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn of(head: &RequestHead<'_>, fields: &[(&str, &str)]) -> Option<(u64, bool)> {
        let fields = &FieldList(fields);
        plain(&RequestHead { fields, ..*head }).map(|plain| (plain.body, plain.closes))
    }

    #[test]
    fn a_request_is_plain_if_each_field_can_be_taken_alone() {
        let fields = &FieldList(&[]);
        let head = RequestHead {
            method: "POST",
            version: HttpVersion::Http11,
            scheme: None,
            authority: None,
            path: "/token",
            query: Some("a=b%20c&d[]"),
            fields,
        };
        assert_eq!(of(&head, &[]), None, "brackets do not belong in a query");
        let head = RequestHead { query: Some("a=b%20c&d=?/"), ..head };
        type Row<'a> = (&'a [(&'a str, &'a str)], Option<(u64, bool)>);
        let cases: &[Row<'_>] = &[
            (&[], Some((0, false))),
            (&[("host", "a"), ("content-length", "12"), ("cookie", "a=b")], Some((12, false))),
            (&[("connection", "Keep-Alive"), ("traceparent", TRACE)], Some((0, false))),
            (&[("connection", "close")], Some((0, true))),
            (&[("keep-alive", "timeout=5"), ("proxy-authorization", "a")], Some((0, false))),
            (&[("content-length", "a")], None),
            (&[("transfer-encoding", "chunked")], None),
            (&[("upgrade", "websocket")], None),
            (&[("expect", "100-continue")], None),
            (&[("te", "trailers")], None),
            (&[("trailer", "a")], None),
            (&[("content-type", "application/grpc")], None),
            (&[("cookie", "a"), ("cookie", "b")], None),
            (&[("traceparent", "00-1")], None),
            (&[("traceparent", TRACE), ("traceparent", TRACE)], None),
            (&[("connection", "x-hop")], None),
            (&[("connection", "close, keep-alive")], None),
            (&[("connection", "close"), ("connection", "close")], None),
        ];
        for (fields, wanted) in cases {
            assert_eq!(of(&head, fields), *wanted, "{fields:?}");
        }
        let others = [
            RequestHead { version: HttpVersion::Http10, ..head },
            RequestHead { version: HttpVersion::Http2, ..head },
            RequestHead { scheme: Some("http"), authority: Some("a"), ..head },
            RequestHead { path: "*", query: None, ..head },
            RequestHead { query: Some("a#b"), ..head },
            RequestHead { query: Some("a\u{e9}"), ..head },
        ];
        for other in others {
            assert_eq!(of(&other, &[]), None);
        }
    }
}
