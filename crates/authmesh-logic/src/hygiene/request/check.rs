//! The check every request head passes first: what an HTTP parser accepts and a proxy must not.

use super::fields::Seen;
use super::{Bounds, Fault, Refusal};
use crate::hygiene::authority::is_authority;
use crate::request_head::{HttpVersion, RequestHead};

/// Refuses a request head that others may read otherwise (RFC 9110, 9112, 9113). The path is judged
/// apart ([`path::normalise`](crate::hygiene::path::normalise)).
///
/// # Errors
/// The first fault found: the target's, the method's, then the fields' in their order, then the
/// host's.
pub fn check(head: &RequestHead<'_>, bounds: &Bounds) -> Result<(), Refusal> {
    judge(head, bounds).map_err(|fault| fault.refuse(head.version))
}

/// Who the request is for: the authority of its target, else its `Host` (RFC 9112 §3.2.2 has the
/// target win). Empty where HTTP/1.0 names nobody. What goes upstream carries this as its `Host`.
#[must_use]
pub fn authority<'a>(head: &RequestHead<'a>) -> &'a str {
    let host = || core::str::from_utf8(head.fields.first("host")?).ok();
    head.authority.or_else(host).unwrap_or_default()
}

fn judge(head: &RequestHead<'_>, bounds: &Bounds) -> Result<(), Fault> {
    check_target(head, bounds)?;
    let mut seen = Seen::default();
    let mut verdict = Ok(());
    head.fields.each(&mut |name, value| {
        if verdict.is_ok() {
            verdict = seen.field(name, value, head.version, bounds);
        }
    });
    verdict?;
    check_host(head, seen.host)
}

fn check_target(head: &RequestHead<'_>, bounds: &Bounds) -> Result<(), Fault> {
    let length = |part: Option<&str>| part.map_or(0, |part| part.len() + 1);
    let rest = length(head.query) + length(head.authority) + length(head.scheme);
    if head.path.len() + rest > bounds.target_bytes as usize {
        return Err(Fault::TargetTooLong);
    }
    match head.method {
        "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS" => {}
        "CONNECT" => return Err(Fault::ConnectRefused),
        "TRACE" => return Err(Fault::TraceRefused),
        _ => return Err(Fault::MethodUnknown),
    }
    let is_path = head.path.starts_with('/');
    let is_asterisk = head.path == "*" && head.query.is_none() && head.method == "OPTIONS";
    if !is_path && !is_asterisk {
        return Err(Fault::TargetForm);
    }
    // A gateway that ended TLS before us sends `https` over HTTP/2 in clear, and rightly so.
    let https = bounds.encrypted || head.version == HttpVersion::Http2;
    match head.scheme {
        None => Ok(()),
        Some(scheme) if scheme.eq_ignore_ascii_case("http") => Ok(()),
        Some(scheme) if https && scheme.eq_ignore_ascii_case("https") => Ok(()),
        Some(_) => Err(Fault::SchemeRefused),
    }
}

fn check_host(head: &RequestHead<'_>, has_host: bool) -> Result<(), Fault> {
    let host = if has_host { head.fields.first("host") } else { None };
    let is_missing = match head.version {
        HttpVersion::Http10 => false,
        HttpVersion::Http11 => host.is_none(),
        HttpVersion::Http2 => host.is_none() && head.authority.is_none(),
    };
    if is_missing {
        return Err(Fault::HostMissing);
    }
    let authority = head.authority.map(str::as_bytes);
    for named in [authority, host].into_iter().flatten() {
        if named.contains(&b'@') {
            return Err(Fault::Userinfo);
        }
        if !is_authority(named) {
            return Err(Fault::HostInvalid);
        }
    }
    match (authority, host) {
        (Some(authority), Some(host))
            if head.version == HttpVersion::Http2 && !authority.eq_ignore_ascii_case(host) =>
        {
            Err(Fault::HostMismatch)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request_head::FieldList;
    use std::borrow::ToOwned;
    use std::string::String;
    use std::vec::Vec;

    use Fault::*;
    use HttpVersion::{Http2, Http10, Http11};

    type Written<'a> = &'a [(&'a str, &'a str)];

    /// `target` is a path, or an absolute URI; a query follows its question mark.
    fn judged(
        version: HttpVersion,
        method: &str,
        target: &str,
        fields: Written<'_>,
    ) -> Result<(), Refusal> {
        let (scheme, authority, rest) = match target.split_once("://") {
            Some((scheme, rest)) => {
                let end = rest.find('/').unwrap_or(rest.len());
                (Some(scheme), Some(&rest[..end]), &rest[end..])
            }
            None => (None, None, target),
        };
        let (path, query) =
            rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
        let fields = &FieldList(fields);
        let head = RequestHead { method, version, scheme, authority, path, query, fields };
        check(&head, &Bounds::default())
    }

    fn fault_of(judged: Result<(), Refusal>) -> Option<Fault> {
        judged.err().map(|refusal| refusal.fault)
    }

    #[test]
    fn http1_targets_and_methods_are_held_to_their_forms() {
        let cases = [
            ("GET", "/", None),
            ("OPTIONS", "*", None),
            ("POST", "http://a/x", None),
            ("GET", "HTTP://a/x", None),
            ("get", "/", Some(MethodUnknown)),
            ("PROPFIND", "/", Some(MethodUnknown)),
            ("CONNECT", "a:443", Some(ConnectRefused)),
            ("TRACE", "/", Some(TraceRefused)),
            ("GET", "*", Some(TargetForm)),
            ("OPTIONS", "*?x", Some(TargetForm)),
            ("OPTIONS", "*/test", Some(TargetForm)),
            ("GET", "", Some(TargetForm)),
            ("GET", "https://a/x", Some(SchemeRefused)),
            ("GET", "ftp://a/x", Some(SchemeRefused)),
            ("GET", "http://u@a/x", Some(Userinfo)),
            ("GET", "http://a:99999/x", Some(HostInvalid)),
        ];
        for (method, target, wanted) in cases {
            let judged = judged(Http11, method, target, &[("Host", "a")]);
            assert_eq!(fault_of(judged), wanted, "{method} {target}");
        }
    }

    #[test]
    fn https_is_named_only_where_the_connection_is_encrypted() {
        let fields = &FieldList(&[("Host", "a")]);
        let head = RequestHead {
            method: "GET",
            version: Http11,
            scheme: Some("https"),
            authority: Some("a"),
            path: "/x",
            query: None,
            fields,
        };
        assert!(check(&head, &Bounds::default()).is_err());
        assert!(check(&head, &Bounds { encrypted: true, ..Bounds::default() }).is_ok());
    }

    #[test]
    fn http1_fields_that_two_readers_may_read_differently_are_refused() {
        let cases: &[(Written<'_>, Option<Fault>)] = &[
            (&[("Host", "a"), ("Content-Length", "3")], None),
            (&[("Host", "a"), ("Transfer-Encoding", "Chunked")], None),
            (&[("Host", "a"), ("Expect", "100-Continue")], None),
            (&[("Host", "a"), ("Connection", "close, X-Hop")], None),
            (&[("Host", "a"), ("Connection", "Upgrade, HTTP2-Settings")], None),
            (&[("Host", "a"), ("Cookie", "a"), ("Cookie", "b")], None),
            (&[], Some(HostMissing)),
            (&[("Host", "a"), ("Host", "a")], Some(HostTwice)),
            (&[("Host", "")], Some(HostInvalid)),
            (&[("Host", "a b")], Some(HostInvalid)),
            (&[("Host", "a,b")], Some(HostInvalid)),
            (&[("Host", "u@a")], Some(Userinfo)),
            (&[("Host", "a:99999999")], Some(HostInvalid)),
            (&[("Host", "a?b")], Some(HostInvalid)),
            (&[("Content-Length", "6"), ("Transfer-Encoding", "chunked")], Some(LengthAndCoding)),
            (&[("Transfer-Encoding", "chunked"), ("Content-Length", "6")], Some(LengthAndCoding)),
            (
                &[("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")],
                Some(CodingMalformed),
            ),
            (&[("Transfer-Encoding", ",chunked")], Some(CodingMalformed)),
            (&[("Transfer-Encoding", "chunked, chunked")], Some(CodingMalformed)),
            (&[("Transfer-Encoding", "chunked, identity")], Some(CodingMalformed)),
            (&[("Transfer-Encoding", "xchunked")], Some(CodingMalformed)),
            (&[("Transfer-Encoding", "")], Some(CodingMalformed)),
            (&[("Transfer-Encoding", "gzip, chunked")], Some(CodingUnsupported)),
            (&[("Content-Length", "3"), ("Content-Length", "3")], Some(LengthTwice)),
            (&[("Content-Length", "3, 3")], Some(LengthInvalid)),
            (&[("Content-Length", "+3")], Some(LengthInvalid)),
            (&[("Content-Length", "0x3")], Some(LengthInvalid)),
            (&[("Content-Length", "")], Some(LengthInvalid)),
            (&[("Content-Length", "18446744073709551616")], Some(LengthInvalid)),
            (&[("Expect", "x")], Some(ExpectationUnknown)),
            (&[("Authorization", "a"), ("Authorization", "b")], Some(FieldTwice)),
            (&[("Content-Type", "a"), ("content-type", "b")], Some(FieldTwice)),
            (&[("DPoP", "a"), ("DPoP", "b")], Some(FieldTwice)),
            (&[("Connection", "Host")], Some(ConnectionNamesProtected)),
            (&[("Connection", "close, Authorization")], Some(ConnectionNamesProtected)),
            (&[("Connection", "X-Authmesh-Identity")], Some(ConnectionNamesProtected)),
        ];
        for (fields, wanted) in cases {
            assert_eq!(fault_of(judged(Http11, "POST", "/", fields)), *wanted, "{fields:?}");
        }
    }

    #[test]
    fn http10_needs_no_host_and_knows_no_chunks() {
        assert_eq!(judged(Http10, "GET", "/", &[]), Ok(()));
        let chunked: Written<'_> = &[("Host", "a"), ("Transfer-Encoding", "chunked")];
        assert_eq!(fault_of(judged(Http10, "POST", "/", chunked)), Some(CodingUnexpected));
    }

    #[test]
    fn http2_heads_are_held_to_their_own_rules() {
        let cases: &[(&str, &str, Written<'_>, Option<Fault>)] = &[
            ("GET", "http://a/", &[], None),
            ("GET", "https://a/", &[], None),
            ("GET", "http://a/", &[("host", "A")], None),
            ("GET", "/", &[("host", "a")], None),
            ("GET", "http://a/", &[("te", "trailers")], None),
            ("GET", "http://a/", &[("host", "b")], Some(HostMismatch)),
            ("GET", "http://a/", &[("host", "a"), ("host", "b")], Some(HostTwice)),
            ("GET", "/", &[], Some(HostMissing)),
            ("GET", "http://u@a/", &[], Some(Userinfo)),
            ("GET", "ftp://a/", &[], Some(SchemeRefused)),
            ("GET", "*", &[("host", "a")], Some(TargetForm)),
            ("CONNECT", "http://a/", &[], Some(ConnectRefused)),
            ("GET", "http://a/", &[("x", " a")], Some(BlankAtEdge)),
            ("GET", "http://a/", &[("x", "a\t")], Some(BlankAtEdge)),
            ("GET", "http://a/", &[("connection", "close")], Some(ConnectionField)),
            ("GET", "http://a/", &[("keep-alive", "timeout=5")], Some(ConnectionField)),
            ("GET", "http://a/", &[("transfer-encoding", "chunked")], Some(ConnectionField)),
            ("GET", "http://a/", &[("te", "gzip")], Some(ConnectionField)),
            (
                "GET",
                "http://a/",
                &[("authorization", "a"), ("authorization", "b")],
                Some(FieldTwice),
            ),
        ];
        for (method, target, fields, wanted) in cases {
            let judged = judged(Http2, method, target, fields);
            assert_eq!(fault_of(judged), *wanted, "{method} {target} {fields:?}");
            assert!(!judged.is_err_and(|refusal| refusal.close));
        }
    }

    #[test]
    fn every_bound_holds_exactly() {
        let fault =
            |target: &str, fields: Written<'_>| fault_of(judged(Http11, "GET", target, fields));
        let long = |length: usize| "a".repeat(length);
        assert_eq!(fault(&("/".to_owned() + &long(8191)), &[("host", "a")]), None);
        assert_eq!(fault(&("/".to_owned() + &long(8192)), &[("host", "a")]), Some(TargetTooLong));
        assert_eq!(fault(&("/?".to_owned() + &long(8191)), &[("host", "a")]), Some(TargetTooLong));
        let (name, longer) = (long(256), long(257));
        assert_eq!(fault("/", &[("host", "a"), (&name, "")]), None);
        assert_eq!(fault("/", &[("host", "a"), (&longer, "")]), Some(NameTooLong));
        let value = long(60 * 1024 - "host".len() - 1 - 4 - "x".len() - 4);
        assert_eq!(fault("/", &[("host", "a"), ("x", &value)]), None);
        assert_eq!(fault("/", &[("host", "a"), ("xx", &value)]), Some(HeadTooLarge));
        let mut fields: Vec<(&str, &str)> = [("x", "1")].repeat(99);
        fields.push(("host", "a"));
        assert_eq!(fault("/", &fields), None);
        fields.push(("x", "1"));
        assert_eq!(fault("/", &fields), Some(TooManyFields));
        let hops = |count: usize| -> String { ["1.1.1.1"].repeat(count).join(", ") };
        assert_eq!(fault("/", &[("host", "a"), ("x-forwarded-for", &hops(100))]), None);
        let halves: Written<'_> =
            &[("host", "a"), ("x-forwarded-for", &hops(51)), ("x-forwarded-for", &hops(50))];
        assert_eq!(fault("/", halves), Some(TooManyForwarders));
    }

    #[test]
    fn a_connection_ends_where_its_framing_is_in_doubt() {
        let cases: [(&str, Written<'_>, u16, bool); 7] = [
            ("get", &[("host", "a")], 501, false),
            ("TRACE", &[("host", "a")], 405, false),
            ("CONNECT", &[("host", "a")], 501, true),
            ("POST", &[("transfer-encoding", "gzip, chunked")], 501, true),
            ("POST", &[("expect", "x")], 417, true),
            ("POST", &[("content-length", "1,1")], 400, true),
            ("GET", &[], 400, true),
        ];
        for (method, fields, status, close) in cases {
            let refusal = judged(Http11, method, "/", fields).unwrap_err();
            assert_eq!((refusal.status, refusal.close), (status, close), "{method} {fields:?}");
        }
    }

    #[test]
    fn the_target_names_the_host_before_the_field_does() {
        let fields = &FieldList(&[("Host", "b")]);
        let of = |authority| {
            let (method, version, path) = ("GET", Http11, "/");
            super::authority(&RequestHead {
                method,
                version,
                scheme: None,
                authority,
                path,
                query: None,
                fields,
            })
        };
        assert_eq!(of(Some("a:80")), "a:80");
        assert_eq!(of(None), "b");
    }
}
