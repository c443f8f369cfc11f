//! The check every response head of an upstream passes: what a client library accepts and a proxy
//! must not pass on.

use crate::request_head::Fields;

/// How large a response head may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The most header fields.
    pub fields: u32,
    /// The most bytes of all fields together, as they stand in HTTP/1.
    pub head_bytes: u32,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { fields: 100, head_bytes: 60 * 1024 }
    }
}

/// What becomes of a response that may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether its `Content-Length` travels.
    pub length_travels: bool,
    /// Whether the connection may carry another request once the body has ended.
    pub reusable: bool,
}

/// Why a response may not pass: 502 for the client, and the end of the upstream connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResponseFault {
    /// An interim status, or none that HTTP defines a class for (RFC 9110 §15).
    StatusInvalid,
    /// `101` to a request that asked for no other protocol, or for a different one.
    UpgradeNotAsked,
    /// `Content-Length` beside `Transfer-Encoding`: a sign of smuggling (RFC 9112 §6.3).
    LengthAndCoding,
    /// `Content-Length` stands twice.
    LengthTwice,
    /// `Transfer-Encoding` is not `chunked` alone: the body cannot be passed on as it is.
    CodingUnsupported,
    /// There are more fields than the bound.
    TooManyFields,
    /// The head is larger than the bound.
    HeadTooLarge,
}

impl ResponseFault {
    /// The word used in logs and JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::StatusInvalid => "response_status_invalid",
            Self::UpgradeNotAsked => "response_upgrade_not_asked",
            Self::LengthAndCoding => "response_length_and_transfer_coding",
            Self::LengthTwice => "response_length_twice",
            Self::CodingUnsupported => "response_transfer_coding_unsupported",
            Self::TooManyFields => "response_too_many_fields",
            Self::HeadTooLarge => "response_head_too_large",
        }
    }
}

/// Judges a final response head. `asked` is the protocol the request upstream asked to change to,
/// if any: the value of its `Upgrade`.
///
/// # Errors
/// The first fault found: the status's, then the fields' in their order.
pub fn check(
    status: u16,
    fields: &dyn Fields,
    asked: Option<&[u8]>,
    bounds: &Bounds,
) -> Result<Verdict, ResponseFault> {
    match status {
        101 if !grants(asked, fields.first("upgrade")) => {
            return Err(ResponseFault::UpgradeNotAsked);
        }
        101 | 200..=599 => {}
        _ => return Err(ResponseFault::StatusInvalid),
    }
    let mut seen = Seen::default();
    let mut verdict = Ok(());
    fields.each(&mut |name, value| {
        if verdict.is_ok() {
            verdict = seen.field(name, value, bounds);
        }
    });
    verdict?;
    // RFC 9110 §8.6: neither may announce a body, so one that is announced may also be sent.
    let is_bodiless = matches!(status, 101 | 204);
    let announces = seen.coding || seen.length == Some(false);
    Ok(Verdict {
        length_travels: !is_bodiless,
        reusable: status != 101 && !(is_bodiless && announces),
    })
}

fn grants(asked: Option<&[u8]>, granted: Option<&[u8]>) -> bool {
    asked.zip(granted).is_some_and(|(asked, granted)| asked.eq_ignore_ascii_case(granted))
}

#[derive(Default)]
struct Seen {
    fields: u32,
    bytes: u64,
    coding: bool,
    /// Whether the length is zero, once one was seen.
    length: Option<bool>,
}

impl Seen {
    fn field(&mut self, name: &str, value: &[u8], bounds: &Bounds) -> Result<(), ResponseFault> {
        /// The colon, the blank and the line end of a field in HTTP/1.
        const AROUND: usize = 4;
        self.fields += 1;
        self.bytes += (name.len() + value.len() + AROUND) as u64;
        if self.fields > bounds.fields {
            return Err(ResponseFault::TooManyFields);
        }
        if self.bytes > u64::from(bounds.head_bytes) {
            return Err(ResponseFault::HeadTooLarge);
        }
        match name {
            "content-length" if self.length.is_some() => return Err(ResponseFault::LengthTwice),
            "content-length" => self.length = Some(value == b"0"),
            "transfer-encoding" if self.coding || !value.eq_ignore_ascii_case(b"chunked") => {
                return Err(ResponseFault::CodingUnsupported);
            }
            "transfer-encoding" => self.coding = true,
            _ => return Ok(()),
        }
        if self.coding && self.length.is_some() {
            return Err(ResponseFault::LengthAndCoding);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request_head::FieldList;
    use std::vec::Vec;

    use ResponseFault::*;

    type Row<'a> =
        (u16, &'a [(&'a str, &'a str)], Option<&'a [u8]>, Result<(bool, bool), ResponseFault>);

    #[test]
    fn each_head_gets_its_verdict() {
        let websocket: Option<&[u8]> = Some(b"websocket");
        // Status, fields, protocol asked for; whether the length travels and the connection lives.
        let cases: &[Row<'_>] = &[
            (200, &[("Content-Length", "2")], None, Ok((true, true))),
            (200, &[("Transfer-Encoding", "chunked")], None, Ok((true, true))),
            (200, &[], None, Ok((true, true))),
            (200, &[("Upgrade", "h2c")], websocket, Ok((true, true))),
            (304, &[("Content-Length", "10")], None, Ok((true, true))),
            (204, &[], None, Ok((false, true))),
            (204, &[("Content-Length", "0")], None, Ok((false, true))),
            (204, &[("Content-Length", "4")], None, Ok((false, false))),
            (204, &[("Transfer-Encoding", "chunked")], None, Ok((false, false))),
            (101, &[("Upgrade", "WebSocket")], websocket, Ok((false, false))),
            (101, &[("Upgrade", "websocket")], None, Err(UpgradeNotAsked)),
            (101, &[("Upgrade", "h2c")], websocket, Err(UpgradeNotAsked)),
            (101, &[], websocket, Err(UpgradeNotAsked)),
            (100, &[], None, Err(StatusInvalid)),
            (103, &[], None, Err(StatusInvalid)),
            (600, &[], None, Err(StatusInvalid)),
            (999, &[], None, Err(StatusInvalid)),
            (
                200,
                &[("Content-Length", "5"), ("Transfer-Encoding", "chunked")],
                None,
                Err(LengthAndCoding),
            ),
            (
                200,
                &[("Transfer-Encoding", "chunked"), ("Content-Length", "5")],
                None,
                Err(LengthAndCoding),
            ),
            (200, &[("Content-Length", "2"), ("Content-Length", "3")], None, Err(LengthTwice)),
            (200, &[("Transfer-Encoding", "gzip")], None, Err(CodingUnsupported)),
            (200, &[("Transfer-Encoding", "gzip, chunked")], None, Err(CodingUnsupported)),
            (
                200,
                &[("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")],
                None,
                Err(CodingUnsupported),
            ),
        ];
        for (status, fields, asked, wanted) in cases {
            let verdict = check(*status, &FieldList(fields), *asked, &Bounds::default());
            let told = verdict.map(|verdict| (verdict.length_travels, verdict.reusable));
            assert_eq!(told, *wanted, "{status} {fields:?}");
        }
    }

    #[test]
    fn every_bound_holds_exactly() {
        let verdict = |fields: &[(&str, &str)]| {
            check(200, &FieldList(fields), None, &Bounds::default()).err()
        };
        let many: Vec<(&str, &str)> = [("x", "1")].repeat(101);
        assert_eq!(verdict(&many[..100]), None);
        assert_eq!(verdict(&many), Some(TooManyFields));
        let value = "a".repeat(60 * 1024 - 5);
        assert_eq!(verdict(&[("x", &value)]), None);
        assert_eq!(verdict(&[("xx", &value)]), Some(HeadTooLarge));
    }
}
