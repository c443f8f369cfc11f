//! Whether a request asks to go on as a protocol that is passed through.

use super::field::elements;
use crate::request_head::{HttpVersion, RequestHead};

/// The one protocol that is passed through. `h2c` is not: whoever tunnels it lets requests pass that
/// nobody has judged.
pub const WEBSOCKET: &str = "websocket";

/// Whether this asks to go on as WebSocket (RFC 6455 §4.1): a GET in HTTP/1.1 without a body whose
/// one `Upgrade` says so, with `upgrade` among the options of `Connection`. Whatever else a request
/// asks to change to is not passed on, and it stays a request (RFC 9110 §7.8).
#[must_use]
pub fn asks_for_websocket(head: &RequestHead<'_>) -> bool {
    let fields = head.fields;
    if head.version != HttpVersion::Http11 || head.method != "GET" || fields.count("upgrade") != 1 {
        return false;
    }
    let says = |name: &str, word: &str| {
        let mut found = false;
        fields.each(&mut |field, value| {
            let is_said = elements(value).any(|one| one.eq_ignore_ascii_case(word.as_bytes()));
            found |= field == name && is_said;
        });
        found
    };
    let is_alone = |value: &[u8]| value.eq_ignore_ascii_case(WEBSOCKET.as_bytes());
    fields.first("upgrade").is_some_and(is_alone)
        && says("connection", "upgrade")
        && fields.count("transfer-encoding") == 0
        && fields.first("content-length").is_none_or(|length| length == b"0")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request_head::FieldList;

    fn asks(version: HttpVersion, method: &str, fields: &[(&str, &str)]) -> bool {
        let fields = &FieldList(fields);
        let (scheme, authority, query) = (None, None, None);
        let path = "/";
        asks_for_websocket(&RequestHead { method, version, scheme, authority, path, query, fields })
    }

    #[test]
    fn only_a_whole_request_for_websocket_is_one() {
        use HttpVersion::{Http2, Http10, Http11};
        let upgrade = ("Connection", "keep-alive, Upgrade");
        let websocket = ("Upgrade", "WebSocket");
        assert!(asks(Http11, "GET", &[upgrade, websocket]));
        assert!(asks(Http11, "GET", &[("Content-Length", "0"), upgrade, websocket]));
        assert!(!asks(Http10, "GET", &[upgrade, websocket]));
        assert!(!asks(Http2, "GET", &[upgrade, websocket]));
        assert!(!asks(Http11, "POST", &[upgrade, websocket]));
        let cases: &[&[(&str, &str)]] = &[
            &[],
            &[upgrade],
            &[websocket],
            &[("Connection", "close"), websocket],
            &[upgrade, ("Upgrade", "h2c")],
            &[upgrade, ("Upgrade", "websocket, h2c")],
            &[upgrade, websocket, websocket],
            &[upgrade, websocket, ("Content-Length", "4")],
            &[upgrade, websocket, ("Transfer-Encoding", "chunked")],
        ];
        for fields in cases {
            assert!(!asks(Http11, "GET", fields), "{fields:?}");
        }
    }
}
