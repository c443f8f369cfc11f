//! Reads off the head of an answer where its body ends and whether its connection goes on.

use crate::hygiene::connection_names;
use crate::request_head::{Fields, HttpVersion};

/// Where a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyEnd {
    /// After so many bytes.
    Length(u64),
    /// With its last chunk.
    Chunks,
    /// With its connection.
    Connection,
}

/// Where the body ends of the final answer to a request (RFC 9112 §6.3). `is_head`: the request's
/// method was HEAD.
///
/// `None` where two readers could find two ends: a length that is no number or stands twice, a coding
/// other than `chunked` alone, a length beside a coding, or a coding in HTTP/1.0, which knows none
/// (RFC 9112 §6.1).
#[must_use]
pub fn answer_body_end(
    is_head: bool,
    version: HttpVersion,
    status: u16,
    fields: &dyn Fields,
) -> Option<BodyEnd> {
    let mut end = Some(BodyEnd::Connection);
    fields.each(&mut |name, value| match name {
        "content-length" => {
            let length = number(value).map(BodyEnd::Length);
            end = length.filter(|_| end == Some(BodyEnd::Connection));
        }
        "transfer-encoding" => {
            let is_known = version == HttpVersion::Http11 && value.eq_ignore_ascii_case(b"chunked");
            let chunks = is_known.then_some(BodyEnd::Chunks);
            end = chunks.filter(|_| end == Some(BodyEnd::Connection));
        }
        _ => {}
    });
    let has_none = is_head || is_bodiless(status);
    end.map(|end| if has_none { BodyEnd::Length(0) } else { end })
}

/// Whether the connection of an answer can carry another once this one has ended (RFC 9112 §9.3): not
/// if it says otherwise, and not if it announces a body that it must not have, which may come all the
/// same. HTTP/1.0 is not asked for its `keep-alive`.
#[must_use]
pub fn keeps_connection(version: HttpVersion, status: u16, fields: &dyn Fields) -> bool {
    let mut ends = version == HttpVersion::Http10;
    fields.each(&mut |name, value| {
        ends |= match name {
            "connection" => connection_names(value).any(|one| one.eq_ignore_ascii_case("close")),
            "content-length" => status == 204 && value != b"0",
            "transfer-encoding" => status == 204,
            _ => false,
        };
    });
    !ends
}

/// RFC 9110 §15.3.5, §15.4.5.
const fn is_bodiless(status: u16) -> bool {
    matches!(status, 204 | 304)
}

/// RFC 9110 §8.6: digits and nothing else.
fn number(text: &[u8]) -> Option<u64> {
    if !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    core::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request_head::FieldList;

    use BodyEnd::{Chunks, Connection, Length};

    #[test]
    fn a_body_ends_where_the_head_says() {
        type Row<'a> = (bool, u16, &'a [(&'a str, &'a str)], Option<BodyEnd>);
        let cases: &[Row<'_>] = &[
            (false, 200, &[("content-length", "12")], Some(Length(12))),
            (false, 200, &[("content-length", "0")], Some(Length(0))),
            (false, 200, &[("transfer-encoding", "chunked")], Some(Chunks)),
            (false, 200, &[], Some(Connection)),
            (false, 200, &[("content-length", "+1")], None),
            (false, 200, &[("content-length", "")], None),
            (false, 200, &[("content-length", "18446744073709551616")], None),
            (true, 200, &[("content-length", "12")], Some(Length(0))),
            (true, 200, &[("transfer-encoding", "chunked")], Some(Length(0))),
            (false, 204, &[], Some(Length(0))),
            (false, 304, &[("content-length", "12")], Some(Length(0))),
            (false, 401, &[("content-length", "5")], Some(Length(5))),
            (false, 200, &[("content-length", "5"), ("content-length", "5")], None),
            (false, 200, &[("content-length", "5"), ("transfer-encoding", "chunked")], None),
            (false, 200, &[("transfer-encoding", "chunked"), ("content-length", "5")], None),
            (false, 200, &[("transfer-encoding", "gzip, chunked")], None),
            (true, 200, &[("content-length", "x")], None),
        ];
        for (is_head, status, fields, wanted) in cases {
            let fields = &FieldList(fields);
            let told = answer_body_end(*is_head, HttpVersion::Http11, *status, fields);
            assert_eq!(told, *wanted, "{is_head} {status} {:?}", fields.0);
        }
        let old = |fields| answer_body_end(false, HttpVersion::Http10, 200, &FieldList(fields));
        assert_eq!(old(&[]), Some(Connection));
        assert_eq!(old(&[("content-length", "5")]), Some(Length(5)));
        assert_eq!(old(&[("transfer-encoding", "chunked")]), None);
    }

    #[test]
    fn a_connection_goes_on_unless_its_answer_says_or_shows_otherwise() {
        use HttpVersion::{Http10, Http11};
        let keeps = |version, status, fields: &[(&str, &str)]| {
            keeps_connection(version, status, &FieldList(fields))
        };
        assert!(keeps(Http11, 200, &[("content-length", "4")]));
        assert!(keeps(Http11, 200, &[("connection", "keep-alive, x-close")]));
        assert!(!keeps(Http11, 200, &[("connection", "keep-alive"), ("connection", "x, Close")]));
        assert!(!keeps(Http10, 200, &[("connection", "keep-alive")]));
        assert!(keeps(Http11, 204, &[("content-length", "0")]));
        assert!(!keeps(Http11, 204, &[("content-length", "4")]));
        assert!(!keeps(Http11, 204, &[("transfer-encoding", "chunked")]));
    }
}
