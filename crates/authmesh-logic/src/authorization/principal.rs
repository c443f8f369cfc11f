//! Which identities a rule means.

use alloc::boxed::Box;

use super::covers::Covers;
use crate::identity::{SpiffeId, SpiffeIdError};

/// Which identities a rule means: one SPIFFE ID, all below a path of one (`spiffe://td/ns/auth/*`),
/// or every one that is proved (`*`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Principal {
    shape: Shape,
}

/// Why a text names no identities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrincipalError {
    /// It is no SPIFFE ID.
    NotSpiffe(SpiffeIdError),
    /// It names a trust domain and nobody in it.
    DomainAlone,
    /// `*` stands elsewhere than as the whole last segment of the path: `auth*` would mean
    /// `auth-evil` too.
    WildcardInside,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Shape {
    Every,
    One(Box<str>),
    /// With its slash at the end.
    Below(Box<str>),
}

impl Principal {
    /// Reads a principal.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, PrincipalError> {
        if text == "*" {
            return Ok(Self { shape: Shape::Every });
        }
        let above = text.strip_suffix("/*");
        let id = above.unwrap_or(text);
        if id.contains('*') {
            return Err(PrincipalError::WildcardInside);
        }
        let parsed: SpiffeId = id.parse().map_err(PrincipalError::NotSpiffe)?;
        let shape = match above {
            Some(above) => Shape::Below(text[..above.len() + 1].into()),
            None if parsed.path().is_empty() => return Err(PrincipalError::DomainAlone),
            None => Shape::One(text.into()),
        };
        Ok(Self { shape })
    }

    /// Whether it means this identity, a SPIFFE ID.
    #[must_use]
    pub fn matches(&self, identity: &str) -> bool {
        match &self.shape {
            Shape::Every => true,
            Shape::One(one) => identity == &**one,
            Shape::Below(above) => {
                identity.strip_prefix(&**above).is_some_and(|below| !below.is_empty())
            }
        }
    }

    /// Whether it means every identity there is.
    #[must_use]
    pub const fn is_everyone(&self) -> bool {
        matches!(self.shape, Shape::Every)
    }

    /// The trust domain it is about; `None` if it is about all.
    #[must_use]
    pub fn trust_domain(&self) -> Option<&str> {
        let (Shape::One(text) | Shape::Below(text)) = &self.shape else { return None };
        text.strip_prefix("spiffe://")?.split('/').next()
    }
}

impl Covers for Principal {
    fn covers(&self, other: &Self) -> bool {
        match (&self.shape, &other.shape) {
            (Shape::Every, _) => true,
            (_, Shape::One(one)) => self.matches(one),
            (Shape::Below(own), Shape::Below(other)) => other.starts_with(&**own),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_principal_means_whole_segments() {
        let cases = [
            ("spiffe://td/web", "spiffe://td/web", true),
            ("spiffe://td/web", "spiffe://td/web2", false),
            ("spiffe://td/web", "spiffe://td/web/x", false),
            ("spiffe://td/*", "spiffe://td/web", true),
            ("spiffe://td/*", "spiffe://td/ns/a/sa/b", true),
            ("spiffe://td/*", "spiffe://td", false),
            ("spiffe://td/*", "spiffe://td.evil.net/web", false),
            ("spiffe://td/ns/auth/*", "spiffe://td/ns/auth/sa/x", true),
            ("spiffe://td/ns/auth/*", "spiffe://td/ns/auth-evil/sa/x", false),
            ("spiffe://td/ns/auth/*", "spiffe://td/ns/auth", false),
            ("*", "spiffe://td/web", true),
        ];
        for (principal, identity, wanted) in cases {
            let found = Principal::parse(principal).unwrap().matches(identity);
            assert_eq!(found, wanted, "{principal} {identity}");
        }
    }

    #[test]
    fn what_is_no_identity_is_no_principal() {
        for text in ["spiffe://td/a*", "spiffe://td/*/a", "spiffe://t*", "spiffe://td/**", "**"] {
            assert_eq!(Principal::parse(text), Err(PrincipalError::WildcardInside), "{text}");
        }
        for text in [
            "",
            "web",
            "spiffe://",
            "spiffe://td/",
            "spiffe://Td/web",
            "spiffe:///*",
            "SPIFFE://td/web",
            "spiffe://td//web",
            "spiffe://td/./web",
            "spiffe://td/web/",
            "spiffe://td:1/web",
            "spiffe://td/w%65b",
            "spiffe://td/web\n",
            "https://td/web",
        ] {
            let parsed = Principal::parse(text);
            assert!(matches!(parsed, Err(PrincipalError::NotSpiffe(_))), "{text:?} {parsed:?}");
        }
        assert_eq!(Principal::parse("spiffe://td"), Err(PrincipalError::DomainAlone));
    }

    #[test]
    fn a_principal_knows_whom_it_covers_and_whose_it_is() {
        let parsed = |text| Principal::parse(text).unwrap();
        let cases = [
            ("spiffe://td/*", "spiffe://td/web", true),
            ("spiffe://td/*", "spiffe://td/ns/*", true),
            ("spiffe://td/ns/*", "spiffe://td/*", false),
            ("spiffe://td/web", "spiffe://td/web", true),
            ("spiffe://td/web", "spiffe://td/*", false),
            ("*", "spiffe://td/*", true),
            ("spiffe://td/*", "*", false),
        ];
        for (one, other, wanted) in cases {
            assert_eq!(parsed(one).covers(&parsed(other)), wanted, "{one} {other}");
        }
        assert_eq!(parsed("spiffe://td/ns/*").trust_domain(), Some("td"));
        assert_eq!(parsed("spiffe://td/web").trust_domain(), Some("td"));
        assert_eq!(parsed("*").trust_domain(), None);
        assert!(parsed("*").is_everyone() && !parsed("spiffe://td/*").is_everyone());
    }
}
