//! Whether a text names a host (and port) without doubt.

use core::net::Ipv6Addr;

/// Whether this is `host` or `host:port` as an `http` URI may name it: a host in the sense of
/// [`is_host`] and a port up to 65535.
///
/// RFC 3986 §3.2.2 allows more (`a,b`, `%41`); what no resolver knows is how two readers come to
/// see two hosts.
pub(super) fn is_authority(authority: &[u8]) -> bool {
    let (host, port) = split_port(authority);
    is_host_bytes(host) && port.is_none_or(is_port)
}

/// The host of an authority, and what stands behind the colon of its port. A colon inside the
/// brackets of an IPv6 address is none of a port.
fn split_port(authority: &[u8]) -> (&[u8], Option<&[u8]>) {
    let brackets = authority.first() == Some(&b'[');
    let address = authority.iter().position(|&byte| byte == b']').filter(|_| brackets).unwrap_or(0);
    match authority[address..].iter().position(|&byte| byte == b':') {
        Some(colon) => (&authority[..address + colon], Some(&authority[address + colon + 1..])),
        None => (authority, None),
    }
}

/// Whether this is a DNS name, an IPv4 address or a bracketed IPv6 address.
pub(crate) fn is_host(host: &str) -> bool {
    is_host_bytes(host.as_bytes())
}

fn is_host_bytes(host: &[u8]) -> bool {
    match host.strip_prefix(b"[") {
        Some(rest) => rest
            .strip_suffix(b"]")
            .and_then(|inner| core::str::from_utf8(inner).ok())
            .is_some_and(|inner| inner.parse::<Ipv6Addr>().is_ok()),
        None => is_name_bytes(host),
    }
}

/// Whether this is a DNS name (or looks like one, as an IPv4 address does): labels of letters,
/// digits, `-` and `_`; a dot may end it.
pub(crate) fn is_name(host: &str) -> bool {
    is_name_bytes(host.as_bytes())
}

// One look at each byte: every request passes here.
fn is_name_bytes(host: &[u8]) -> bool {
    let mut label_is_empty = true;
    let host = host.strip_suffix(b".").unwrap_or(host);
    let is_sound = host.iter().all(|&byte| {
        let ends_label = byte == b'.';
        let may_end = !label_is_empty;
        label_is_empty = ends_label;
        if ends_label { may_end } else { is_letter(byte) }
    });
    is_sound && !label_is_empty
}

const fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

fn is_port(port: &[u8]) -> bool {
    port.iter().all(u8::is_ascii_digit)
        && port
            .iter()
            .try_fold(0_u16, |port, digit| {
                port.checked_mul(10)?.checked_add(u16::from(digit - b'0'))
            })
            .is_some()
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
