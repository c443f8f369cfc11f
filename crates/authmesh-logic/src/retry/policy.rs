//! How often a request may be tried, and how long each try may take.

use core::time::Duration;

use super::Methods;

/// The settings of retries for one service or route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How many attempts a request may have, the first included; at least 1.
    pub attempts: u32,
    /// How long one attempt may take to its response head; `None` is the request's own deadline.
    pub per_try: Option<Duration>,
    /// Only attempts that provably were not processed are tried again, whatever the class.
    pub only_if_unprocessed: bool,
    /// Only requests with these methods are tried again; what their class forbids stays forbidden.
    pub methods: Methods,
}

impl Policy {
    /// The settings for a request with this method: one attempt, if it is not among those listed.
    #[must_use]
    pub fn for_method(self, method: &str) -> Self {
        match self.methods.contains(method) {
            true => self,
            false => Self { attempts: 1, ..self },
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self { attempts: 3, per_try: None, only_if_unprocessed: false, methods: Methods::ANY }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_that_is_not_listed_has_one_attempt() {
        let methods = Methods::NONE.with("GET").unwrap();
        let policy = Policy { methods, ..Policy::default() };
        assert_eq!(policy.for_method("GET"), policy);
        assert_eq!(policy.for_method("PUT"), Policy { attempts: 1, ..policy });
        assert_eq!(Policy::default().for_method("PROPFIND"), Policy::default());
    }
}
