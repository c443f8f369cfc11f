//! Which identifiers of a request are good enough to be carried on.

/// The longest request id that is carried on, in bytes.
pub const REQUEST_ID_BYTES: usize = 128;

/// Whether an `X-Request-Id` may be carried on and written to a log; else the request gets a new
/// one. Letters, digits and `-_.:+/=@`: nothing that a log or a page could read as its own syntax.
#[must_use]
pub fn is_request_id(value: &[u8]) -> bool {
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:+/=@".contains(byte);
    (1..=REQUEST_ID_BYTES).contains(&value.len()) && value.iter().all(is_letter)
}

/// Whether a `traceparent` may be carried on; else the request starts a new trace (W3C Trace
/// Context §3.2): version, trace, parent and flags in lower-case hexadecimal, trace and parent not
/// zero. A version after 00 may have more behind a further `-`.
#[must_use]
pub fn is_traceparent(value: &[u8]) -> bool {
    let mut parts = value.split(|&byte| byte == b'-');
    let (version, trace, parent, flags) = (parts.next(), parts.next(), parts.next(), parts.next());
    let is_number = |part: Option<&[u8]>, digits: usize| {
        part.is_some_and(|part| {
            part.len() == digits
                && part.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        })
    };
    let is_identity = |part: Option<&[u8]>, digits: usize| {
        is_number(part, digits) && part.is_some_and(|part| part.iter().any(|&byte| byte != b'0'))
    };
    is_number(version, 2)
        && version != Some(b"ff")
        && is_identity(trace, 32)
        && is_identity(parent, 16)
        && is_number(flags, 2)
        && (version != Some(b"00") || parts.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_is_short_and_plain() {
        for id in [&b"a"[..], b"4bf92f35-77b3-4da6", &[b'a'; 128]] {
            assert!(is_request_id(id));
        }
        for id in [&b""[..], b"a b", b"\x1b[31m", b"<b>", b"{env.TOKEN}", b"\xff", &[b'a'; 129]] {
            assert!(!is_request_id(id));
        }
    }

    #[test]
    fn a_traceparent_is_carried_on_only_when_it_is_one() {
        let cases: [(&[u8], bool); 12] = [
            (b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true),
            (b"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", true),
            (b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", false),
            (b"ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false),
            (b"00-00000000000000000000000000000000-00f067aa0ba902b7-01", false),
            (b"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", false),
            (b"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", false),
            (b"00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01", false),
            (b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1", false),
            (b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7", false),
            (b"00-xyz", false),
            (b"", false),
        ];
        for (value, wanted) in cases {
            assert_eq!(is_traceparent(value), wanted, "{:?}", core::str::from_utf8(value));
        }
    }
}
