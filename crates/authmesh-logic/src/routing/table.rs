//! The routes of a mesh, and the search for the one a request takes.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::{HostPattern, Pattern};

/// One route: what a request must be to take it. An empty list asks nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The only listener whose requests it takes; every one if `None`.
    pub listener: Option<usize>,
    /// The hosts it takes.
    pub hosts: Vec<HostPattern>,
    /// The paths it takes.
    pub paths: Vec<Pattern>,
    /// The methods it takes, as sent (they differ by case).
    pub methods: Vec<String>,
    /// What a search gives back; the caller's own number.
    pub target: usize,
}

/// Every route, in the order in which they are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routes {
    routes: Box<[Route]>,
}

impl Routes {
    /// A table of these routes.
    #[must_use]
    pub fn new(routes: Vec<Route>) -> Self {
        Self { routes: routes.into() }
    }

    /// The target of the first route that takes this request. `host` is without a port
    /// ([`host_of`](super::host_of)), `normal_path` in normal form or `*`.
    #[must_use]
    pub fn find(
        &self,
        listener: usize,
        method: &str,
        host: &str,
        normal_path: &str,
    ) -> Option<usize> {
        let takes = |route: &&Route| route.takes(listener, method, host, normal_path);
        self.routes.iter().find(takes).map(|route| route.target)
    }
}

impl Route {
    fn takes(&self, listener: usize, method: &str, host: &str, normal_path: &str) -> bool {
        self.listener.is_none_or(|only| only == listener)
            && any_or_empty(&self.methods, |wanted| wanted == method)
            && any_or_empty(&self.paths, |pattern| pattern.matches(normal_path))
            && any_or_empty(&self.hosts, |pattern| pattern.matches(host))
    }
}

fn any_or_empty<T>(wanted: &[T], holds: impl FnMut(&T) -> bool) -> bool {
    wanted.is_empty() || wanted.iter().any(holds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec;

    fn route(
        target: usize,
        listener: Option<usize>,
        methods: &[&str],
        hosts: &[&str],
        paths: &[&str],
    ) -> Route {
        Route {
            listener,
            hosts: hosts.iter().map(|host| HostPattern::parse(host).unwrap()).collect(),
            paths: paths.iter().map(|path| Pattern::parse(path).unwrap()).collect(),
            methods: methods.iter().map(|&method| method.into()).collect(),
            target,
        }
    }

    #[test]
    fn the_first_route_that_takes_a_request_gets_it() {
        let routes = Routes::new(vec![
            route(10, Some(1), &[], &[], &["/only-here"]),
            route(11, None, &["POST"], &["login.example.org"], &["/login", "/token"]),
            route(12, None, &["GET", "HEAD"], &["*.example.org"], &["/users/{*}"]),
            route(13, None, &[], &["*.example.org"], &["/users/**"]),
            route(14, None, &[], &[], &["*"]),
        ]);
        let cases = [
            (1, "GET", "any", "/only-here", 10),
            (0, "GET", "any", "/only-here", 14),
            (0, "POST", "login.example.org", "/login", 11),
            (0, "POST", "LOGIN.example.org", "/token", 11),
            (0, "post", "login.example.org", "/login", 14),
            (0, "GET", "login.example.org", "/login", 14),
            (0, "GET", "a.example.org", "/users/7", 12),
            (0, "GET", "a.example.org", "/users/7/keys", 13),
            (0, "PUT", "a.example.org", "/users/7", 13),
            (0, "PUT", "a.example.com", "/users/7", 14),
            (0, "OPTIONS", "a", "*", 14),
        ];
        for (listener, method, host, path, target) in cases {
            let found = routes.find(listener, method, host, path);
            assert_eq!(found, Some(target), "{listener} {method} {host} {path}");
        }
    }

    #[test]
    fn a_request_that_no_route_takes_has_none() {
        let routes = Routes::new(vec![route(0, None, &["GET"], &["a"], &["/x"])]);
        assert_eq!(routes.find(0, "GET", "a", "/x"), Some(0));
        assert_eq!(routes.find(0, "GET", "a", "/y"), None);
        assert_eq!(routes.find(0, "GET", "b", "/x"), None);
        assert_eq!(routes.find(0, "PUT", "a", "/x"), None);
        assert_eq!(Routes::default().find(0, "GET", "a", "/x"), None);
    }

    proptest! {
        #[test]
        fn no_later_route_changes_what_an_earlier_one_takes(
            paths in proptest::collection::vec("(/[ab]{1,2}){1,3}(/\\*\\*)?", 1..8),
            asked in "(/[ab]{1,2}){1,3}",
        ) {
            let all: Vec<Route> = paths
                .iter()
                .enumerate()
                .map(|(target, path)| route(target, None, &[], &[], &[path]))
                .collect();
            let wanted = all.iter().position(|one| one.paths[0].matches(&asked));
            prop_assert_eq!(Routes::new(all).find(0, "GET", "a", &asked), wanted);
        }
    }
}
