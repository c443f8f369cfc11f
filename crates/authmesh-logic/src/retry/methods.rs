//! A set of request methods: those whose requests may be repeated.

/// A set of the methods of RFC 9110 §9 and RFC 5789, or every method there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Methods(Option<u16>);

impl Methods {
    /// Every method, unknown ones included.
    pub const ANY: Self = Self(None);
    /// No method.
    pub const NONE: Self = Self(Some(0));
    /// The methods that can be listed.
    pub const KNOWN: [&'static str; 9] =
        ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "POST", "PATCH", "CONNECT"];

    /// This set and `method`; `None` if the method is not one of [`Self::KNOWN`].
    #[must_use]
    pub fn with(self, method: &str) -> Option<Self> {
        let bit = bit(method)?;
        Some(Self(self.0.map(|listed| listed | bit)))
    }

    /// Whether `method` is in the set.
    #[must_use]
    pub fn contains(self, method: &str) -> bool {
        let Some(listed) = self.0 else { return true };
        bit(method).is_some_and(|bit| listed & bit != 0)
    }
}

fn bit(method: &str) -> Option<u16> {
    Methods::KNOWN.iter().position(|known| *known == method).map(|position| 1 << position)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in_and_nothing_else() {
        for listed in Methods::KNOWN {
            let set = Methods::NONE.with(listed).unwrap();
            for method in Methods::KNOWN {
                assert_eq!(set.contains(method), method == listed);
            }
            assert!(!set.contains("get") && !set.contains("PROPFIND"));
        }
        assert!(Methods::ANY.contains("PROPFIND") && !Methods::NONE.contains("GET"));
        assert_eq!(Methods::NONE.with("PROPFIND"), None);
    }
}
