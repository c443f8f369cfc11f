//! Whether a text names a host (and port) without doubt.

use core::net::Ipv6Addr;

/// Whether this is `host` or `host:port` as an `http` URI may name it: a host in the sense of
/// [`is_host`] and a port up to 65535.
///
/// RFC 3986 §3.2.2 allows more (`a,b`, `%41`); what no resolver knows is how two readers come to
/// see two hosts.
pub(super) fn is_authority(authority: &[u8]) -> bool {
    let Ok(text) = core::str::from_utf8(authority) else { return false };
    let after_address = text.find(']').unwrap_or(0);
    let (host, port) = match text[after_address..].find(':') {
        Some(colon) => text.split_at(after_address + colon),
        None => (text, ""),
    };
    is_host(host) && port.strip_prefix(':').is_none_or(is_port)
}

/// Whether this is a DNS name, an IPv4 address or a bracketed IPv6 address.
pub(crate) fn is_host(host: &str) -> bool {
    match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').is_some_and(|inner| inner.parse::<Ipv6Addr>().is_ok()),
        None => is_name(host),
    }
}

/// Whether this is a DNS name (or looks like one, as an IPv4 address does): labels of letters,
/// digits, `-` and `_`; a dot may end it.
pub(crate) fn is_name(host: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let host = host.strip_suffix('.').unwrap_or(host);
    host.split('.').all(|label| !label.is_empty() && label.bytes().all(is_letter))
}

fn is_port(port: &str) -> bool {
    port.bytes().all(|byte| byte.is_ascii_digit())
        && (port.is_empty() || port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_host_and_a_port_pass() {
        let cases = [
            ("a", true),
            ("login.example.org", true),
            ("login.example.org.", true),
            ("under_score-1", true),
            ("a:80", true),
            ("a:", true),
            ("a:65535", true),
            ("127.0.0.1:80", true),
            ("[::1]", true),
            ("[::1]:8443", true),
            ("", false),
            (".", false),
            (":80", false),
            ("a:65536", false),
            ("a:99999999", false),
            ("a:+1", false),
            ("a:b", false),
            ("a:1:2", false),
            ("a b", false),
            ("a,b", false),
            ("u@a", false),
            ("a/b", false),
            ("a?b", false),
            ("a#b", false),
            ("a..b", false),
            (".a", false),
            ("%61", false),
            ("é", false),
            ("[::1", false),
            ("[::1]8443", false),
            ("[::1%25eth0]", false),
            ("[v1.a]", false),
            ("::1", false),
        ];
        for (text, wanted) in cases {
            assert_eq!(is_authority(text.as_bytes()), wanted, "{text:?}");
        }
        assert!(!is_authority(b"\xff"));
    }
}
