//! Patterns of paths, as routes and access rules write them.
//!
//! | written | takes |
//! |---|---|
//! | `/login` | that path alone |
//! | `/login*` | every path that begins so, `/login2` too |
//! | `*/me`, `*.json` | every path that ends so |
//! | `*` | every path, and the asterisk of `OPTIONS *` |
//! | `/users/{*}/keys` | one segment in that place, never an empty one |
//! | `/users/{**}`, `/users/**` | whatever stands below `/users/`, the bare slash too, but not `/users` |
//! | `/users/{**}/keys` | one segment or more in that place |
//!
//! The meaning is that of Istio's `AuthorizationPolicy` paths. Only paths in the normal form of
//! [`hygiene::path`](crate::hygiene::path) are matched, so the letters of a pattern must stand in
//! it too: anything else would never match.

mod covering;

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::hygiene::path::normalise;

/// Which paths a route or rule takes; the table above says how it is written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pattern {
    shape: Shape,
}

/// Why a text is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatternError {
    /// It begins with neither a slash nor `*`.
    NotAbsolute,
    /// A wildcard or a brace stands inside a segment: `{*}` and `{**}` are whole segments, `*` is
    /// the first or last character of the whole pattern.
    WildcardInsideSegment,
    /// `{**}` stands twice.
    WildcardTwice,
    /// The letters are not in normal form (`//`, `/../`, `%61`, `%2f`, ...), so no path matches.
    NotNormal,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Shape {
    Every,
    Exact(Box<str>),
    Prefix(Box<str>),
    Suffix(Box<str>),
    Segments {
        /// From the front.
        head: Box<[Segment]>,
        /// After `{**}`; without it `head` is all there is.
        tail: Option<Box<[Segment]>>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Segment {
    Literal(Box<str>),
    One,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let shape = if text == "*" {
            Shape::Every
        } else if let Some(suffix) = text.strip_prefix('*') {
            Shape::Suffix(literal(suffix, if suffix.starts_with('/') { "" } else { "/x" })?)
        } else if !text.starts_with('/') {
            return Err(PatternError::NotAbsolute);
        } else if let Some(prefix) = text.strip_suffix("/{**}").or(text.strip_suffix("/**")) {
            below(prefix)?
        } else if let Some(prefix) = text.strip_suffix('*') {
            Shape::Prefix(literal(prefix, "")?)
        } else if text.contains(['*', '{', '}']) {
            segments(text)?
        } else {
            Shape::Exact(literal(text, "")?)
        };
        Ok(Self { shape })
    }

    /// Whether it takes this path, which stands in normal form.
    #[must_use]
    pub fn matches(&self, normal_path: &str) -> bool {
        match &self.shape {
            Shape::Every => true,
            Shape::Exact(path) => normal_path == &**path,
            Shape::Prefix(prefix) => normal_path.starts_with(&**prefix),
            Shape::Suffix(suffix) => normal_path.ends_with(&**suffix),
            Shape::Segments { head, tail } => segments_match(head, tail.as_deref(), normal_path),
        }
    }

    /// Whether no path of a request is left to a pattern after this one.
    #[must_use]
    pub fn takes_every_path(&self) -> bool {
        match &self.shape {
            Shape::Every => true,
            Shape::Prefix(prefix) => &**prefix == "/",
            Shape::Segments { head, tail } => {
                head.is_empty() && tail.as_ref().is_some_and(|tail| tail.is_empty())
            }
            Shape::Exact(_) | Shape::Suffix(_) => false,
        }
    }
}

fn segments_match(head: &[Segment], tail: Option<&[Segment]>, path: &str) -> bool {
    let Some(path) = path.strip_prefix('/') else { return false };
    let mut rest = path.split('/');
    let mut takes_head = |segment: &Segment| rest.next().is_some_and(|part| segment.takes(part));
    if !head.iter().all(&mut takes_head) {
        return false;
    }
    let Some(tail) = tail else { return rest.next().is_none() };
    let mut takes_tail =
        |segment: &Segment| rest.next_back().is_some_and(|part| segment.takes(part));
    tail.iter().rev().all(&mut takes_tail) && rest.next().is_some()
}

impl Segment {
    fn takes(&self, part: &str) -> bool {
        match self {
            Self::Literal(text) => part == &**text,
            Self::One => !part.is_empty(),
        }
    }

    fn parse(text: &str) -> Result<Self, PatternError> {
        match text {
            "{*}" => Ok(Self::One),
            "{**}" | "**" => Err(PatternError::WildcardTwice),
            _ if text.contains(['*', '{', '}']) => Err(PatternError::WildcardInsideSegment),
            _ => Ok(Self::Literal(text.into())),
        }
    }
}

/// `prefix/{**}`: a plain prefix where `prefix` holds no wildcard.
fn below(prefix: &str) -> Result<Shape, PatternError> {
    if prefix.contains(['*', '{', '}']) {
        return segments(&format!("{prefix}/{{**}}"));
    }
    Ok(Shape::Prefix(literal(&format!("{prefix}/"), "")?))
}

fn segments(text: &str) -> Result<Shape, PatternError> {
    let parts: Vec<&str> = text.split('/').skip(1).collect();
    let rest = parts.iter().position(|part| matches!(*part, "{**}" | "**"));
    let parse = |parts: &[&str]| -> Result<Box<[Segment]>, PatternError> {
        parts.iter().map(|part| Segment::parse(part)).collect()
    };
    let shape = match rest {
        Some(rest) => {
            Shape::Segments { head: parse(&parts[..rest])?, tail: Some(parse(&parts[rest + 1..])?) }
        }
        None => Shape::Segments { head: parse(&parts)?, tail: None },
    };
    // A wildcard stands for a segment like any other.
    let example = parts.iter().fold(String::new(), |example, part| {
        example + "/" + if part.contains('*') { "x" } else { part }
    });
    literal(&example, "").map(|_| shape)
}

/// The text, if it holds no wildcard and what begins with `before` and goes on with it is normal.
fn literal(text: &str, before: &str) -> Result<Box<str>, PatternError> {
    if text.contains(['*', '{', '}']) {
        return Err(PatternError::WildcardInsideSegment);
    }
    let whole = format!("{before}{text}");
    match normalise(&whole) {
        Ok(Cow::Borrowed(form)) if form == whole => Ok(text.into()),
        _ => Err(PatternError::NotNormal),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_pattern_takes_its_paths_and_no_other() {
        let cases = [
            ("/login", "/login", true),
            ("/login", "/login/", false),
            ("/login", "/login2", false),
            ("/Login", "/login", false),
            ("/login*", "/login2", true),
            ("/login*", "/login", true),
            ("/login*", "/logi", false),
            ("/x/*", "/x/a/b", true),
            ("/x/*", "/x", false),
            ("*", "/anything", true),
            ("*", "*", true),
            ("*/me", "/users/7/me", true),
            ("*/me", "/me", true),
            ("*/me", "/home", false),
            ("*.json", "/a/b.json", true),
            ("/foo/{*}", "/foo/bar", true),
            ("/foo/{*}", "/foo/", false),
            ("/foo/{*}", "/foo", false),
            ("/foo/{*}", "/foo/bar/", false),
            ("/foo/{*}", "/foo/bar/baz", false),
            ("/foo/{*}/", "/foo/bar/", true),
            ("/{*}/me", "/users/me", true),
            ("/{*}/me", "/users/x/me", false),
            ("/admin/**", "/admin/", true),
            ("/admin/**", "/admin/x/y", true),
            ("/admin/**", "/admin", false),
            ("/admin/**", "/administrator", false),
            ("/admin/{**}", "/admin/x/y", true),
            ("/{**}", "/", true),
            ("/{**}", "*", false),
            ("/{*}/bar/{**}", "/foo/bar/", true),
            ("/{*}/bar/{**}", "/buzz/bar/buzz.txt", true),
            ("/{*}/bar/{**}", "/foo/bar", false),
            ("/{*}/bar/{**}", "/bar/baz", false),
            ("/foo/{**}/", "/foo/bar/", true),
            ("/foo/{**}/", "/foo/bar/baz/", true),
            ("/foo/{**}/", "/foo/bar", false),
            ("/foo/{**}/", "/foo/", false),
            ("/a/{**}/b", "/a/x/b", true),
            ("/a/{**}/b", "/a/x/y/b", true),
            ("/a/{**}/b", "/a/b", false),
            ("/a/**/{*}/b", "/a/x/y/b", true),
            ("/a/**/{*}/b", "/a/y/b", false),
        ];
        for (pattern, path, wanted) in cases {
            let read = Pattern::parse(pattern).unwrap();
            assert_eq!(read.matches(path), wanted, "{pattern} against {path}");
        }
    }

    #[test]
    fn each_fault_of_a_pattern_has_its_own_word() {
        let cases = [
            ("", PatternError::NotAbsolute),
            ("login", PatternError::NotAbsolute),
            ("{*}", PatternError::NotAbsolute),
            ("**", PatternError::WildcardInsideSegment),
            ("/a/*/b", PatternError::WildcardInsideSegment),
            ("*a*", PatternError::WildcardInsideSegment),
            ("/a{*}", PatternError::WildcardInsideSegment),
            ("/a/{x}", PatternError::WildcardInsideSegment),
            ("/a/{*}b/{**}", PatternError::WildcardInsideSegment),
            ("/a/{*}/b*", PatternError::WildcardInsideSegment),
            ("/{**}/a/{**}", PatternError::WildcardTwice),
            ("/**/a/**", PatternError::WildcardTwice),
            ("/a//b", PatternError::NotNormal),
            ("/a/../b", PatternError::NotNormal),
            ("/a/./{*}", PatternError::NotNormal),
            ("/a/../{**}", PatternError::NotNormal),
            ("//{*}", PatternError::NotNormal),
            ("/%61", PatternError::NotNormal),
            ("/a%2fb", PatternError::NotNormal),
            ("/%3f", PatternError::NotNormal),
            ("/a?b", PatternError::NotNormal),
            ("/a%2*", PatternError::NotNormal),
            ("*é", PatternError::NotNormal),
        ];
        for (text, fault) in cases {
            assert_eq!(Pattern::parse(text), Err(fault), "{text}");
        }
    }

    /// The table of this module, read as slowly as possible: a pattern is a row of pieces, each
    /// tried at every length.
    fn naive(pattern: &str, path: &str) -> bool {
        fn pieces(pattern: &[&str], segments: &[&str]) -> bool {
            match (pattern.split_first(), segments.split_first()) {
                (None, None) => true,
                (Some((&("{**}" | "**"), after)), Some(_)) => {
                    (1..=segments.len()).any(|taken| pieces(after, &segments[taken..]))
                }
                (Some((&"{*}", after)), Some((first, others))) => {
                    !first.is_empty() && pieces(after, others)
                }
                (Some((literal, after)), Some((first, others))) => {
                    literal == first && pieces(after, others)
                }
                _ => false,
            }
        }
        let whole_segments = |text: &str| text.ends_with("/**") || text.contains('{');
        if pattern == "*" {
            return true;
        }
        if !whole_segments(pattern) {
            if let Some(suffix) = pattern.strip_prefix('*') {
                return path.ends_with(suffix);
            }
            if let Some(prefix) = pattern.strip_suffix('*') {
                return path.starts_with(prefix);
            }
        }
        let split = |text: &str| -> Vec<String> { text.split('/').map(Into::into).collect() };
        let (pattern, path) = (split(pattern), split(path));
        pieces(
            &pattern.iter().map(String::as_str).collect::<Vec<_>>(),
            &path.iter().map(String::as_str).collect::<Vec<_>>(),
        )
    }

    pub(super) fn patterns() -> impl Strategy<Value = String> {
        let segment = prop_oneof![4 => "[ab]{1,2}", 2 => Just("{*}".into()), 1 => Just("{**}".into()), 1 => Just("**".into())];
        let segments =
            proptest::collection::vec(segment, 1..5).prop_map(|segments| segments.join("/"));
        prop_oneof![
            4 => segments.clone().prop_map(|text| format!("/{text}")),
            1 => segments.prop_map(|text| format!("/{text}/")),
            1 => "(/[ab]{1,2}){1,3}\\*",
            1 => "\\*(/[ab]{1,2}){1,3}",
            1 => Just("*".into()),
        ]
    }

    proptest! {
        #[test]
        fn the_matcher_agrees_with_the_naive_one(
            pattern in patterns(),
            path in "(/[ab]{1,2}){1,5}/?",
        ) {
            if let Ok(read) = Pattern::parse(&pattern) {
                prop_assert_eq!(read.matches(&path), naive(&pattern, &path), "{}", pattern);
            }
        }
    }
}
