//! One walk over the fields of a request: what each says, and what only all of them show.

use super::{Bounds, Fault};
use crate::hygiene::field::{elements, without_blanks};
use crate::hygiene::forward::names_protected_field;
use crate::request_head::HttpVersion;

/// What has been seen so far.
#[derive(Default)]
pub(super) struct Seen {
    fields: u32,
    bytes: u64,
    forwarders: usize,
    once: u8,
    pub(super) host: bool,
    coding: bool,
    length: bool,
}

impl Seen {
    /// Takes in one field.
    pub(super) fn field(
        &mut self,
        name: &str,
        value: &[u8],
        version: HttpVersion,
        bounds: &Bounds,
    ) -> Result<(), Fault> {
        self.measure(name, value, bounds)?;
        if version == HttpVersion::Http2 {
            refuse_in_http2(name, value)?;
        }
        match name {
            "host" if self.host => Err(Fault::HostTwice),
            "host" => {
                self.host = true;
                Ok(())
            }
            "content-length" => self.content_length(value),
            "transfer-encoding" => self.transfer_encoding(value, version),
            "connection" if names_protected_field(value) => Err(Fault::ConnectionNamesProtected),
            "x-forwarded-for" => {
                self.forwarders += elements(value).count();
                let bound = bounds.forwarders as usize;
                if self.forwarders > bound { Err(Fault::TooManyForwarders) } else { Ok(()) }
            }
            "authorization" => self.once(0),
            "content-type" => self.once(1),
            "dpop" => self.once(2),
            "origin" => self.once(3),
            "expect" if !value.eq_ignore_ascii_case(b"100-continue") => {
                Err(Fault::ExpectationUnknown)
            }
            _ => Ok(()),
        }
    }

    fn measure(&mut self, name: &str, value: &[u8], bounds: &Bounds) -> Result<(), Fault> {
        /// The colon, the blank and the line end of a field in HTTP/1.
        const AROUND: usize = 4;
        self.fields += 1;
        self.bytes += (name.len() + value.len() + AROUND) as u64;
        if self.fields > bounds.fields {
            Err(Fault::TooManyFields)
        } else if name.len() > bounds.name_bytes as usize {
            Err(Fault::NameTooLong)
        } else if self.bytes > u64::from(bounds.head_bytes) {
            Err(Fault::HeadTooLarge)
        } else {
            Ok(())
        }
    }

    fn once(&mut self, bit: u8) -> Result<(), Fault> {
        let mask = 1 << bit;
        let twice = self.once & mask != 0;
        self.once |= mask;
        if twice { Err(Fault::FieldTwice) } else { Ok(()) }
    }

    fn content_length(&mut self, value: &[u8]) -> Result<(), Fault> {
        if self.length {
            return Err(Fault::LengthTwice);
        }
        self.length = true;
        let is_number = value.iter().all(u8::is_ascii_digit)
            && core::str::from_utf8(value).is_ok_and(|text| text.parse::<u64>().is_ok());
        if !is_number {
            return Err(Fault::LengthInvalid);
        }
        if self.coding { Err(Fault::LengthAndCoding) } else { Ok(()) }
    }

    fn transfer_encoding(&mut self, value: &[u8], version: HttpVersion) -> Result<(), Fault> {
        if version == HttpVersion::Http10 {
            return Err(Fault::CodingUnexpected);
        }
        if self.coding {
            return Err(Fault::CodingMalformed);
        }
        self.coding = true;
        if self.length {
            return Err(Fault::LengthAndCoding);
        }
        if value.eq_ignore_ascii_case(b"chunked") {
            return Ok(());
        }
        let is_chunked = |coding: &[u8]| coding.eq_ignore_ascii_case(b"chunked");
        let last_alone = elements(value).last().is_some_and(is_chunked)
            && elements(value).filter(|coding| is_chunked(coding)).count() == 1;
        if last_alone && elements(value).all(|coding| !coding.is_empty()) {
            Err(Fault::CodingUnsupported)
        } else {
            Err(Fault::CodingMalformed)
        }
    }
}

fn refuse_in_http2(name: &str, value: &[u8]) -> Result<(), Fault> {
    match name {
        "connection" | "keep-alive" | "proxy-connection" | "transfer-encoding" | "upgrade" => {
            Err(Fault::ConnectionField)
        }
        "te" if value != b"trailers" => Err(Fault::ConnectionField),
        _ if without_blanks(value).len() != value.len() => Err(Fault::BlankAtEdge),
        _ => Ok(()),
    }
}
