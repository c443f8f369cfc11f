//! Which fields travel on, upstream and downstream.
//!
//! Order matters to the caller: first take away what does not travel, with the fields that
//! `Connection` names, then add one's own. The other way round a client could have ours removed.

use super::field::{begins_like, connection_names, elements, is_same_field};
use crate::request_head::Fields;

/// Whether a request's field goes to the upstream. `from_trusted`: the peer is one of the networks
/// whose forwarding fields are believed.
///
/// Never: what ends at this hop (RFC 9110 §7.6.1), `Proxy` (which CGI turns into `HTTP_PROXY`), and
/// our own `x-authmesh-*`, which we write ourselves. From anyone but a trusted peer neither: fields
/// with which a proxy tells a backend who the caller is or where it came from.
#[must_use]
pub fn travels_upstream(name: &str, from_trusted: bool) -> bool {
    !(ends_here(name) || is_ours(name) || (!from_trusted && is_claim(name)))
}

/// Whether a response's field goes to the client: not what ends at this hop, nor what only
/// a request of ours may say of a caller.
#[must_use]
pub fn travels_downstream(name: &str) -> bool {
    !ends_here(name) && (!is_ours(name) || is_same_field(name, "x-authmesh-reason"))
}

/// Whether a trailer field travels, either way. Trailers arrive after everything was decided, so
/// only those pass whose meaning is known not to depend on that (RFC 9110 §6.5.1).
#[must_use]
pub fn trailer_travels(name: &str) -> bool {
    begins_like(name, "grpc-")
        || matches!(name, "content-digest" | "etag" | "repr-digest" | "server-timing")
}

/// Whether the request upstream must say `TE: trailers` again: the field itself ends at this hop,
/// and gRPC servers refuse a request without it.
#[must_use]
pub fn asks_for_trailers(fields: &dyn Fields) -> bool {
    const GRPC: &[u8] = b"application/grpc";
    let kind = fields.first("content-type").unwrap_or_default();
    let is_grpc = kind.get(..GRPC.len()).is_some_and(|start| start.eq_ignore_ascii_case(GRPC));
    let asked = fields.first("te").unwrap_or_default();
    is_grpc && matches!(kind.get(GRPC.len()), None | Some(b'+' | b';' | b' '))
        || elements(asked).any(|coding| coding.eq_ignore_ascii_case(b"trailers"))
}

/// Whether a `Connection` value names a field that must arrive: a client that strips what the
/// backend's decision rests on is refused.
pub(super) fn names_protected_field(connection: &[u8]) -> bool {
    const PROTECTED: [&str; 8] = [
        "authorization",
        "content-length",
        "content-type",
        "cookie",
        "dpop",
        "host",
        "traceparent",
        "x-request-id",
    ];
    connection_names(connection).any(|name| {
        is_ours(name) || is_claim(name) || PROTECTED.iter().any(|field| is_same_field(name, field))
    })
}

/// What ends at this hop, whoever sent it.
fn ends_here(name: &str) -> bool {
    is_listed(name, |letter| match letter {
        b'c' => &["connection"],
        b'h' => &["http2-settings"],
        b'k' => &["keep-alive"],
        b'p' => &["proxy", "proxy-"],
        b't' => &["te", "trailer", "transfer-encoding"],
        b'u' => &["upgrade"],
        _ => &[],
    })
}

fn is_ours(name: &str) -> bool {
    begins_like(name, "x-authmesh-")
}

/// A claim about the caller that only a proxy in front of us may make.
fn is_claim(name: &str) -> bool {
    is_listed(name, |letter| match letter {
        b'c' => &["cf-connecting-ip", "client-ip"],
        b'f' => &["fastly-client-ip", "forwarded"],
        b'l' => &["l5d-"],
        b'r' => &["remote-user"],
        b's' => &["ssl-client-"],
        b't' => &["true-client-ip"],
        // Many a field begins so; the letter behind `x-` says which few to compare with.
        b'x' => match name.as_bytes().get(2).map_or(b' ', u8::to_ascii_lowercase) {
            b'a' => &["x-auth-request-"],
            b'c' => &["x-client-ip", "x-cluster-client-ip"],
            b'e' => &["x-envoy-"],
            b'f' => &["x-forwarded", "x-forwarded-"],
            b'h' => &["x-http-method-override"],
            b'o' => &["x-original-url"],
            b'r' => &["x-real-ip", "x-remote-user", "x-rewrite-url"],
            b's' => &["x-ssl-client-"],
            _ => &[],
        },
        _ => &[],
    })
}

/// Whether the list of the name's first letter holds it; an entry that ends with `-` stands for all
/// names that begin so.
fn is_listed(name: &str, list_of: impl Fn(u8) -> &'static [&'static str]) -> bool {
    let letter = name.bytes().next().unwrap_or(b' ').to_ascii_lowercase();
    list_of(letter).iter().any(|entry| {
        if entry.ends_with('-') { begins_like(name, entry) } else { is_same_field(name, entry) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request_head::FieldList;

    #[test]
    fn what_ends_at_this_hop_travels_from_nobody() {
        for name in [
            "connection",
            "http2-settings",
            "keep-alive",
            "proxy",
            "proxy-authorization",
            "proxy-connection",
            "proxy-authenticate",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade",
        ] {
            assert!(!travels_upstream(name, true), "{name}");
            assert!(!travels_downstream(name), "{name}");
        }
    }

    #[test]
    fn claims_about_the_caller_travel_only_from_a_trusted_peer() {
        for name in [
            "x-forwarded-for",
            "x-forwarded-proto",
            "x-forwarded-host",
            "x-forwarded-port",
            "x-forwarded-prefix",
            "x-forwarded-client-cert",
            "x-forwarded-user",
            "forwarded",
            "x-real-ip",
            "x-client-ip",
            "true-client-ip",
            "cf-connecting-ip",
            "x-cluster-client-ip",
            "x-ssl-client-verify",
            "x-ssl-client-s-dn",
            "x-remote-user",
            "remote-user",
            "x-auth-request-user",
            "x-envoy-internal",
            "x-envoy-retry-on",
            "l5d-client-id",
            "x-original-url",
            "x-rewrite-url",
            "x-http-method-override",
            "x_forwarded_user",
            "x.real.ip",
            "remote_user",
        ] {
            assert!(!travels_upstream(name, false), "{name}");
            assert!(travels_upstream(name, true), "{name}");
        }
    }

    #[test]
    fn our_own_fields_travel_from_nobody() {
        for name in ["x-authmesh-identity", "x_authmesh_identity", "X.Authmesh.Identity"] {
            assert!(!travels_upstream(name, true), "{name}");
            assert!(!travels_downstream(name), "{name}");
        }
        assert!(travels_downstream("x-authmesh-reason"));
    }

    #[test]
    fn everything_else_travels() {
        for name in [
            "accept",
            "authorization",
            "content-length",
            "content-type",
            "cookie",
            "host",
            "range",
            "referer",
            "traceparent",
            "user-agent",
            "x-request-id",
            "x-note",
            "tea",
            "proxying",
            "upgrade-insecure-requests",
            "cache-control",
            "forwarded-by-me",
            "",
        ] {
            assert!(travels_upstream(name, false), "{name}");
            assert!(travels_downstream(name), "{name}");
        }
    }

    #[test]
    fn connection_may_not_name_what_must_arrive() {
        for value in [
            "Host",
            "close, Authorization",
            "cookie",
            "Content-Length",
            "x_authmesh_identity",
            "X-Forwarded-For",
            "Forwarded",
        ] {
            assert!(names_protected_field(value.as_bytes()), "{value}");
        }
        for value in ["close", "keep-alive, Upgrade, HTTP2-Settings", "X-Hop", "te", ""] {
            assert!(!names_protected_field(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn trailers_pass_only_by_name() {
        for name in ["grpc-status", "grpc-message", "content-digest"] {
            assert!(trailer_travels(name), "{name}");
        }
        for name in ["content-length", "authorization", "x-authmesh-identity", "host", "x-any"] {
            assert!(!trailer_travels(name), "{name}");
        }
    }

    #[test]
    fn trailers_are_asked_for_again_where_the_client_or_grpc_wants_them() {
        let cases: [(&[(&str, &str)], bool); 7] = [
            (&[("te", "trailers")], true),
            (&[("te", "gzip, Trailers")], true),
            (&[("te", "gzip")], false),
            (&[("content-type", "application/grpc")], true),
            (&[("content-type", "application/grpc+proto")], true),
            (&[("content-type", "application/grpc-web")], false),
            (&[], false),
        ];
        for (fields, wanted) in cases {
            assert_eq!(asks_for_trailers(&FieldList(fields)), wanted, "{fields:?}");
        }
    }
}
