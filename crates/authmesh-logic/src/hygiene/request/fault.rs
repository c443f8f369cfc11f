//! Why a request head is refused, and with which status.

use crate::request_head::HttpVersion;

/// A refused request: what to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status of the answer.
    pub status: u16,
    /// What is wrong.
    pub fault: Fault,
    /// Whether the connection must end with the answer, because where the next request begins can
    /// no longer be trusted. Never for HTTP/2, where a stream stands alone.
    pub close: bool,
}

/// What is wrong with a request head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The target is longer than the bound.
    TargetTooLong,
    /// The head is larger than the bound.
    HeadTooLarge,
    /// There are more fields than the bound.
    TooManyFields,
    /// The name of a field is longer than the bound.
    NameTooLong,
    /// `X-Forwarded-For` lists more addresses than the bound.
    TooManyForwarders,
    /// No method that is known here; methods differ by case.
    MethodUnknown,
    /// `CONNECT`: this is no forward proxy (extended `CONNECT`, RFC 8441, is not offered either).
    ConnectRefused,
    /// `TRACE` would echo credentials.
    TraceRefused,
    /// The target is neither a path nor an `http` URI nor `OPTIONS *` (RFC 9112 §3.2).
    TargetForm,
    /// The scheme is none of this listener's.
    SchemeRefused,
    /// Neither `Host` nor an authority where one is required.
    HostMissing,
    /// `Host` stands twice.
    HostTwice,
    /// The host is not a host.
    HostInvalid,
    /// `host` and `:authority` differ (RFC 9113 §8.3.1).
    HostMismatch,
    /// The authority holds a user (RFC 9110 §4.2.4).
    Userinfo,
    /// `Transfer-Encoding` is not `chunked` alone (RFC 9112 §6.1).
    CodingMalformed,
    /// `Transfer-Encoding` names a coding besides `chunked`.
    CodingUnsupported,
    /// `Transfer-Encoding` in HTTP/1.0, whose readers don't know it.
    CodingUnexpected,
    /// `Content-Length` beside `Transfer-Encoding` (RFC 9112 §6.3).
    LengthAndCoding,
    /// `Content-Length` is not one decimal number.
    LengthInvalid,
    /// `Content-Length` stands twice.
    LengthTwice,
    /// `Expect` asks for what is unknown here (RFC 9110 §10.1.1).
    ExpectationUnknown,
    /// A field that may stand once stands twice.
    FieldTwice,
    /// `Connection` names a field that must arrive.
    ConnectionNamesProtected,
    /// A field of HTTP/1 connections in HTTP/2 (RFC 9113 §8.2.2).
    ConnectionField,
    /// A value begins or ends with a blank in HTTP/2 (RFC 9113 §8.2.1).
    BlankAtEdge,
}

impl Fault {
    /// The status that answers it.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::TraceRefused => 405,
            Self::TargetTooLong => 414,
            Self::ExpectationUnknown => 417,
            Self::HeadTooLarge
            | Self::TooManyFields
            | Self::NameTooLong
            | Self::TooManyForwarders => 431,
            Self::MethodUnknown | Self::ConnectRefused | Self::CodingUnsupported => 501,
            _ => 400,
        }
    }

    /// Whether a bound was passed, rather than a rule broken.
    #[must_use]
    pub const fn is_limit(self) -> bool {
        matches!(self.status(), 414 | 431)
    }

    /// The word used in logs and JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::TargetTooLong => "target_too_long",
            Self::HeadTooLarge => "head_too_large",
            Self::TooManyFields => "too_many_fields",
            Self::NameTooLong => "field_name_too_long",
            Self::TooManyForwarders => "too_many_forwarders",
            Self::MethodUnknown => "method_unknown",
            Self::ConnectRefused => "connect_refused",
            Self::TraceRefused => "trace_refused",
            Self::TargetForm => "target_form",
            Self::SchemeRefused => "scheme_refused",
            Self::HostMissing => "host_missing",
            Self::HostTwice => "host_twice",
            Self::HostInvalid => "host_invalid",
            Self::HostMismatch => "host_mismatch",
            Self::Userinfo => "userinfo",
            Self::CodingMalformed => "transfer_coding_malformed",
            Self::CodingUnsupported => "transfer_coding_unsupported",
            Self::CodingUnexpected => "transfer_coding_unexpected",
            Self::LengthAndCoding => "length_and_transfer_coding",
            Self::LengthInvalid => "length_invalid",
            Self::LengthTwice => "length_twice",
            Self::ExpectationUnknown => "expectation_unknown",
            Self::FieldTwice => "field_twice",
            Self::ConnectionNamesProtected => "connection_names_protected_field",
            Self::ConnectionField => "connection_field",
            Self::BlankAtEdge => "blank_at_edge",
        }
    }

    pub(super) fn refuse(self, version: HttpVersion) -> Refusal {
        let framing_is_sound = matches!(self, Self::MethodUnknown | Self::TraceRefused);
        let close = version != HttpVersion::Http2 && !framing_is_sound;
        Refusal { status: self.status(), fault: self, close }
    }
}
