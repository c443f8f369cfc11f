//! The name of a workload: a SPIFFE ID, and the trust domain it belongs to.

use alloc::sync::Arc;
use core::borrow::Borrow;
use core::fmt;
use core::str::FromStr;

/// A SPIFFE ID (SPIFFE-ID §2): `spiffe://trust-domain/path`.
///
/// Stricter than the specification in one place: the scheme is accepted in lower case only, as it
/// must be written. Two IDs are equal when their texts are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpiffeId {
    text: Arc<str>,
    /// Where the path begins.
    path: usize,
}

/// The name of a trust domain: 1 to 255 of `a-z`, `0-9`, `.`, `-`, `_`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrustDomain(Arc<str>);

/// Why a text is no SPIFFE ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SpiffeIdError {
    /// It does not begin with `spiffe://`.
    Scheme,
    /// It is longer than [`SpiffeId::LONGEST`].
    TooLong,
    /// It names no trust domain.
    NoTrustDomain,
    /// The trust domain is longer than [`TrustDomain::LONGEST`].
    TrustDomainTooLong,
    /// The trust domain has another character than `a-z`, `0-9`, `.`, `-`, `_`.
    TrustDomainCharacter,
    /// The path has another character than `a-z`, `A-Z`, `0-9`, `.`, `-`, `_`, `/`.
    PathCharacter,
    /// A segment of the path is empty; a `/` at the end makes one too.
    EmptySegment,
    /// A segment of the path is `.` or `..`.
    DotSegment,
}

const SCHEME: &str = "spiffe://";

impl SpiffeId {
    /// The longest SPIFFE ID, in bytes (§2.3).
    pub const LONGEST: usize = 2_048;

    /// The whole text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The name of its trust domain.
    #[must_use]
    pub fn trust_domain(&self) -> &str {
        &self.text[SCHEME.len()..self.path]
    }

    /// Its path with the leading `/`; empty if it names the trust domain itself.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.text[self.path..]
    }
}

impl TrustDomain {
    /// The longest name, in bytes (§2.3).
    pub const LONGEST: usize = 255;

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SpiffeId {
    type Err = SpiffeIdError;

    fn from_str(text: &str) -> Result<Self, SpiffeIdError> {
        let rest = text.strip_prefix(SCHEME).ok_or(SpiffeIdError::Scheme)?;
        if text.len() > Self::LONGEST {
            return Err(SpiffeIdError::TooLong);
        }
        let (domain, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        check_domain(domain)?;
        check_path(path)?;
        Ok(Self { text: text.into(), path: SCHEME.len() + domain.len() })
    }
}

impl FromStr for TrustDomain {
    type Err = SpiffeIdError;

    fn from_str(text: &str) -> Result<Self, SpiffeIdError> {
        check_domain(text)?;
        Ok(Self(text.into()))
    }
}

/// So that a map by trust domain is asked with the name in a [`SpiffeId`].
impl Borrow<str> for TrustDomain {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.text)
    }
}

impl fmt::Display for TrustDomain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl fmt::Display for SpiffeIdError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Scheme => "a SPIFFE ID begins with `spiffe://`",
            Self::TooLong => "a SPIFFE ID has at most 2048 bytes",
            Self::NoTrustDomain => "a SPIFFE ID names a trust domain",
            Self::TrustDomainTooLong => "a trust domain has at most 255 bytes",
            Self::TrustDomainCharacter => {
                "a trust domain has lower-case letters, digits, `.`, `-` and `_` only"
            }
            Self::PathCharacter => {
                "the path of a SPIFFE ID has letters, digits, `.`, `-` and `_` only"
            }
            Self::EmptySegment => "no segment of a SPIFFE ID's path is empty",
            Self::DotSegment => "no segment of a SPIFFE ID's path is `.` or `..`",
        })
    }
}

impl core::error::Error for SpiffeIdError {}

fn check_domain(domain: &str) -> Result<(), SpiffeIdError> {
    let lawful = |byte: u8| byte.is_ascii_lowercase() || is_common(byte);
    match domain.len() {
        0 => Err(SpiffeIdError::NoTrustDomain),
        _ if !domain.bytes().all(lawful) => Err(SpiffeIdError::TrustDomainCharacter),
        length if length > TrustDomain::LONGEST => Err(SpiffeIdError::TrustDomainTooLong),
        _ => Ok(()),
    }
}

fn check_path(path: &str) -> Result<(), SpiffeIdError> {
    let lawful = |byte: u8| byte.is_ascii_alphabetic() || is_common(byte);
    // What stands before the first `/` is no segment.
    for segment in path.split('/').skip(1) {
        match segment {
            "" => return Err(SpiffeIdError::EmptySegment),
            "." | ".." => return Err(SpiffeIdError::DotSegment),
            _ if !segment.bytes().all(lawful) => return Err(SpiffeIdError::PathCharacter),
            _ => {}
        }
    }
    Ok(())
}

const fn is_common(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use std::format;
    use std::string::String;

    use super::*;

    #[test]
    fn lawful_ids_are_taken_apart() {
        for (text, domain, path) in [
            ("spiffe://example.org", "example.org", ""),
            ("spiffe://example.org/ns/a/sa/B_c-1", "example.org", "/ns/a/sa/B_c-1"),
            ("spiffe://1.2.3.4/...", "1.2.3.4", "/..."),
            ("spiffe://a/.x/..y", "a", "/.x/..y"),
        ] {
            let id: SpiffeId = text.parse().unwrap();
            assert_eq!((id.trust_domain(), id.path(), id.as_str()), (domain, path, text));
            assert_eq!(domain.parse::<TrustDomain>().unwrap().as_str(), domain);
        }
    }

    #[test]
    fn each_fault_has_its_name() {
        use SpiffeIdError::*;
        let long = |count: usize| "a".repeat(count);
        let table: [(String, SpiffeIdError); 15] = [
            ("".into(), Scheme),
            ("Spiffe://a/b".into(), Scheme),
            ("https://a/b".into(), Scheme),
            ("spiffe://".into(), NoTrustDomain),
            ("spiffe:///b".into(), NoTrustDomain),
            ("spiffe://A/b".into(), TrustDomainCharacter),
            ("spiffe://a:1/b".into(), TrustDomainCharacter),
            ("spiffe://a?b".into(), TrustDomainCharacter),
            (format!("spiffe://{}/b", long(256)), TrustDomainTooLong),
            (format!("spiffe://a/{}", long(2_038)), TooLong),
            ("spiffe://a/".into(), EmptySegment),
            ("spiffe://a/b//c".into(), EmptySegment),
            ("spiffe://a/b/..".into(), DotSegment),
            ("spiffe://a/%62".into(), PathCharacter),
            ("spiffe://a/b#c".into(), PathCharacter),
        ];
        for (text, fault) in table {
            assert_eq!(text.parse::<SpiffeId>(), Err(fault), "{text}");
        }
        assert!(format!("spiffe://{}/b", long(255)).parse::<SpiffeId>().is_ok());
        assert!(format!("spiffe://a/{}", long(2_037)).parse::<SpiffeId>().is_ok());
    }
}
