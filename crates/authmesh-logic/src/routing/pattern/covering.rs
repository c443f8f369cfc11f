//! Whether one pattern takes every path that another takes.

use alloc::string::String;

use super::{Pattern, Segment, Shape};

impl Pattern {
    /// Whether every path that `other` takes is taken by this one too. Says no where it is hard to
    /// tell.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        if self == other {
            return true;
        }
        match (&self.shape, &other.shape) {
            (Shape::Every, _) => true,
            (Shape::Prefix(own), Shape::Exact(path) | Shape::Prefix(path)) => {
                path.starts_with(&**own)
            }
            (Shape::Prefix(own), Shape::Segments { head, .. }) => {
                literal_beginning(head).starts_with(&**own)
            }
            (Shape::Suffix(own), Shape::Exact(path) | Shape::Suffix(path)) => {
                path.ends_with(&**own)
            }
            (Shape::Segments { .. }, Shape::Exact(path)) => self.matches(path),
            // `/{**}` takes whatever begins with a slash, and so does every one of these.
            (Shape::Segments { .. }, Shape::Prefix(_) | Shape::Segments { .. }) => {
                self.takes_every_path()
            }
            _ => false,
        }
    }
}

/// What every path begins with that these segments take.
fn literal_beginning(head: &[Segment]) -> String {
    let mut beginning = String::from("/");
    for segment in head {
        let Segment::Literal(text) = segment else { break };
        beginning.push_str(text);
        beginning.push('/');
    }
    beginning
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::patterns;
    use super::*;

    #[test]
    fn a_pattern_covers_those_that_take_less() {
        let cases = [
            ("*", "/{**}", true),
            ("*", "*.json", true),
            ("/{**}", "*", false),
            ("/{**}", "/a*", true),
            ("/admin/**", "/admin/x", true),
            ("/admin/**", "/admin/{*}/y", true),
            ("/admin/**", "/admin", false),
            ("/admin*", "/admin/**", true),
            ("/a/{*}", "/a/b", true),
            ("/a/{*}", "/a/b/c", false),
            ("/a/{*}", "/{*}/b", false),
            ("/{*}/b", "/{*}/b", true),
            ("*.json", "/a.json", true),
            ("*.json", "*a.json", true),
            ("*.json", "/a*", false),
        ];
        for (one, other, wanted) in cases {
            let parsed = |text| Pattern::parse(text).unwrap();
            assert_eq!(parsed(one).covers(&parsed(other)), wanted, "{one} {other}");
        }
    }

    proptest! {
        #[test]
        fn what_a_covered_pattern_takes_its_cover_takes(
            cover in patterns(),
            covered in patterns(),
            path in "(/[ab]{1,2}){1,4}/?",
        ) {
            if let (Ok(cover), Ok(covered)) = (Pattern::parse(&cover), Pattern::parse(&covered)) {
                prop_assert!(cover.covers(&cover));
                let is_told = cover.covers(&covered) && covered.matches(&path);
                prop_assert!(!is_told || cover.matches(&path));
            }
        }
    }
}
