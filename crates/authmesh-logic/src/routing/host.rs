//! Hosts: what an authority names, and which ones a route takes.

use alloc::boxed::Box;
use alloc::format;

use crate::hygiene::{is_host, is_name};

/// The host of an authority: without its port, brackets of an IPv6 address kept.
#[must_use]
pub fn host_of(authority: &str) -> &str {
    // From the right: a colon before the bracket is one of the address.
    let is_edge = |byte: &u8| matches!(byte, b':' | b']');
    match authority.bytes().rposition(|byte| is_edge(&byte)) {
        Some(colon) if authority.as_bytes()[colon] == b':' => &authority[..colon],
        _ => authority,
    }
}

/// Which hosts a route takes: one, or all below one (`*.example.org`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostPattern {
    /// Lower case; begins with its dot where all below it are meant.
    text: Box<str>,
}

/// Why a text is no host pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostPatternError {
    /// Nothing is written.
    Empty,
    /// `*` may stand only as the whole first label, before at least one other.
    WildcardMisplaced,
    /// A port is written; hosts compare without.
    PortWritten,
    /// Not a host name and not an address.
    NotAHost,
}

impl HostPattern {
    /// Reads a host, or `*.` and a host. Case does not matter.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, HostPatternError> {
        if text.is_empty() {
            return Err(HostPatternError::Empty);
        }
        if host_of(text) != text {
            return Err(HostPatternError::PortWritten);
        }
        let (below, host) = match text.strip_prefix("*.") {
            Some(host) => (true, host),
            None => (false, text),
        };
        if host.contains('*') || (below && host.is_empty()) {
            return Err(HostPatternError::WildcardMisplaced);
        }
        if !(if below { is_name(host) } else { is_host(host) }) {
            return Err(HostPatternError::NotAHost);
        }
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        let text = if below { format!(".{host}") } else { host };
        Ok(Self { text: text.into() })
    }

    /// Whether it takes this host (as of [`host_of`]). Case does not matter, nor the dot at the end
    /// of a fully qualified name.
    #[must_use]
    pub fn matches(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host).as_bytes();
        let wanted = self.text.as_bytes();
        if !self.text.starts_with('.') {
            return host.eq_ignore_ascii_case(wanted);
        }
        host.len().checked_sub(wanted.len()).is_some_and(|labels| {
            labels > 0 && host[0] != b'.' && host[labels..].eq_ignore_ascii_case(wanted)
        })
    }

    /// Whether every host that `other` takes is taken by this one too.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self == other || (self.text.starts_with('.') && other.text.ends_with(&*self.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_an_authority_has_no_port() {
        let cases = [
            ("login.example.org", "login.example.org"),
            ("login.example.org:8443", "login.example.org"),
            ("login.example.org:", "login.example.org"),
            ("[::1]", "[::1]"),
            ("[::1]:8443", "[::1]"),
            ("127.0.0.1:80", "127.0.0.1"),
            ("", ""),
        ];
        for (authority, host) in cases {
            assert_eq!(host_of(authority), host, "{authority}");
        }
    }

    #[test]
    fn a_host_pattern_takes_its_hosts_and_no_other() {
        let cases = [
            ("example.org", "example.org", true),
            ("example.org", "EXAMPLE.org", true),
            ("Example.Org", "example.org", true),
            ("example.org", "example.org.", true),
            ("example.org.", "example.org", true),
            ("example.org", "a.example.org", false),
            ("example.org", "example.org.evil", false),
            ("*.example.org", "a.example.org", true),
            ("*.example.org", "a.b.example.org", true),
            ("*.example.org", "A.Example.ORG", true),
            ("*.example.org", "example.org", false),
            ("*.example.org", ".example.org", false),
            ("*.example.org", "evil-example.org", false),
            ("[::1]", "[::1]", true),
            ("127.0.0.1", "127.0.0.1", true),
            ("example.org", "", false),
        ];
        for (pattern, host, wanted) in cases {
            let read = HostPattern::parse(pattern).unwrap();
            assert_eq!(read.matches(host), wanted, "{pattern} against {host}");
        }
    }

    #[test]
    fn a_host_pattern_covers_those_that_take_less() {
        let cases = [
            ("*.example.org", "a.example.org", true),
            ("*.example.org", "*.a.example.org", true),
            ("*.example.org", "*.example.org", true),
            ("*.example.org", "example.org", false),
            ("*.example.org", "evil-example.org", false),
            ("*.a.example.org", "*.example.org", false),
            ("a.example.org", "a.example.org", true),
            ("a.example.org", "*.example.org", false),
        ];
        for (one, other, wanted) in cases {
            let parsed = |text| HostPattern::parse(text).unwrap();
            assert_eq!(parsed(one).covers(&parsed(other)), wanted, "{one} {other}");
        }
    }

    #[test]
    fn each_fault_of_a_host_pattern_has_its_own_word() {
        let cases = [
            ("", HostPatternError::Empty),
            ("*", HostPatternError::WildcardMisplaced),
            ("*.", HostPatternError::WildcardMisplaced),
            ("a.*.org", HostPatternError::WildcardMisplaced),
            ("a*.org", HostPatternError::WildcardMisplaced),
            ("a.org:80", HostPatternError::PortWritten),
            ("[::1]:80", HostPatternError::PortWritten),
            ("http://a.org", HostPatternError::PortWritten),
            ("a..org", HostPatternError::NotAHost),
            ("a org", HostPatternError::NotAHost),
            ("a.org/x", HostPatternError::NotAHost),
            ("*.[::1]", HostPatternError::NotAHost),
            ("[::1", HostPatternError::PortWritten),
        ];
        for (text, fault) in cases {
            assert_eq!(HostPattern::parse(text), Err(fault), "{text}");
        }
    }
}
