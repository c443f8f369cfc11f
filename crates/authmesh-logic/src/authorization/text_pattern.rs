//! Patterns of texts: of header values, of claims, of the principals of tokens.

use alloc::boxed::Box;

use super::covers::Covers;

/// Which texts a rule means: `abc` that one, `abc*` those that begin so, `*abc` those that end so,
/// `*` every one that is there. Case matters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TextPattern {
    shape: Shape,
}

/// Why a text is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextPatternError {
    /// Nothing is written: an empty value would hardly be meant.
    Empty,
    /// `*` stands elsewhere than at the beginning or the end, or at both.
    WildcardInside,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Shape {
    Every,
    Exact(Box<str>),
    Prefix(Box<str>),
    Suffix(Box<str>),
}

impl TextPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, TextPatternError> {
        let (shape, literal) = if text == "*" {
            (Shape::Every, "")
        } else if let Some(suffix) = text.strip_prefix('*') {
            (Shape::Suffix(suffix.into()), suffix)
        } else if let Some(prefix) = text.strip_suffix('*') {
            (Shape::Prefix(prefix.into()), prefix)
        } else if text.is_empty() {
            return Err(TextPatternError::Empty);
        } else {
            (Shape::Exact(text.into()), text)
        };
        if literal.contains('*') {
            return Err(TextPatternError::WildcardInside);
        }
        Ok(Self { shape })
    }

    /// The pattern of this text alone, whatever is in it.
    #[must_use]
    pub fn exactly(text: &str) -> Self {
        Self { shape: Shape::Exact(text.into()) }
    }

    /// Whether it means this text.
    #[must_use]
    pub fn matches(&self, text: &[u8]) -> bool {
        match &self.shape {
            Shape::Every => true,
            Shape::Exact(exact) => text == exact.as_bytes(),
            Shape::Prefix(prefix) => text.starts_with(prefix.as_bytes()),
            Shape::Suffix(suffix) => text.ends_with(suffix.as_bytes()),
        }
    }

    /// Whether it means `issuer/subject`, the principal of a token.
    #[must_use]
    pub(super) fn matches_pair(&self, issuer: &str, subject: &str) -> bool {
        let length = issuer.len() + 1 + subject.len();
        let text = || issuer.bytes().chain([b'/']).chain(subject.bytes());
        match &self.shape {
            Shape::Every => true,
            Shape::Exact(exact) => text().eq(exact.bytes()),
            Shape::Prefix(prefix) => {
                length >= prefix.len() && text().take(prefix.len()).eq(prefix.bytes())
            }
            Shape::Suffix(suffix) => {
                length >= suffix.len() && text().skip(length - suffix.len()).eq(suffix.bytes())
            }
        }
    }
}

impl Covers for TextPattern {
    fn covers(&self, other: &Self) -> bool {
        match (&self.shape, &other.shape) {
            (Shape::Every, _) => true,
            (Shape::Exact(own), Shape::Exact(other)) => own == other,
            (Shape::Prefix(own), Shape::Exact(other) | Shape::Prefix(other)) => {
                other.starts_with(&**own)
            }
            (Shape::Suffix(own), Shape::Exact(other) | Shape::Suffix(other)) => {
                other.ends_with(&**own)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_means_its_texts_and_no_other() {
        let cases = [
            ("blue", "blue", true),
            ("blue", "Blue", false),
            ("blue", "blue2", false),
            ("blue*", "blue2", true),
            ("blue*", "blue", true),
            ("blue*", "a blue", false),
            ("*blue", "a blue", true),
            ("*blue", "blue2", false),
            ("*", "", true),
        ];
        for (pattern, text, wanted) in cases {
            let found = TextPattern::parse(pattern).unwrap().matches(text.as_bytes());
            assert_eq!(found, wanted, "{pattern} {text}");
        }
    }

    #[test]
    fn the_principal_of_a_token_is_issuer_slash_subject() {
        let cases = [
            ("https://idp/alice", true),
            ("https://idp/bob", false),
            ("https://idp/*", true),
            ("https://idp/a*", true),
            ("https://id*", true),
            ("https://idp/alice/*", false),
            ("*/alice", true),
            ("*https://idp/alice", true),
            ("*xhttps://idp/alice", false),
            ("*", true),
        ];
        for (pattern, wanted) in cases {
            let found = TextPattern::parse(pattern).unwrap().matches_pair("https://idp", "alice");
            assert_eq!(found, wanted, "{pattern}");
        }
    }

    #[test]
    fn a_wildcard_stands_at_one_end_alone() {
        for text in ["a*b", "*a*", "**", "a**"] {
            assert_eq!(TextPattern::parse(text), Err(TextPatternError::WildcardInside), "{text}");
        }
        assert_eq!(TextPattern::parse(""), Err(TextPatternError::Empty));
    }

    #[test]
    fn a_pattern_covers_those_that_mean_less() {
        let cases = [
            ("*", "a", true),
            ("a*", "ab", true),
            ("a*", "ab*", true),
            ("ab*", "a*", false),
            ("*b", "ab", true),
            ("*b", "*ab", true),
            ("a*", "*a", false),
            ("a", "a", true),
            ("a", "a*", false),
        ];
        for (one, other, wanted) in cases {
            let parsed = |text| TextPattern::parse(text).unwrap();
            assert_eq!(parsed(one).covers(&parsed(other)), wanted, "{one} {other}");
        }
    }
}
