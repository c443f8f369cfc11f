//! What is asked, as a clause names it.

use alloc::boxed::Box;

use super::covers::Covers;
use super::selection::selects_nothing;
use super::{Action, Inquiry, Miss, Selection};
use crate::routing::{HostPattern, Pattern};

/// What is asked. All its aspects must hold; with none of them it means everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestPattern {
    /// By method; they differ by case.
    pub methods: Selection<Box<str>>,
    /// By path.
    pub paths: Selection<Pattern>,
    /// By host, without a port.
    pub hosts: Selection<HostPattern>,
    /// By the port the connection came in on.
    pub ports: Selection<u16>,
}

impl RequestPattern {
    /// What is in the way of this request; nothing if the pattern means it.
    pub(super) fn miss(&self, action: Action, inquiry: &Inquiry<'_>) -> Option<Miss> {
        if !self.ports.holds(action, inquiry.port, |one, port| *one == port) {
            return Some(Miss::Port);
        }
        let Some(request) = &inquiry.request else {
            // A rule that denies is judged without what the connection does not have.
            return (action == Action::Allow && self.speaks_of_http()).then_some(Miss::NotHttp);
        };
        let (method, host, path) = (request.method, request.host, request.path);
        if !self.methods.holds(action, Some(method), |one, method| **one == *method) {
            return Some(Miss::Method);
        }
        if !self.hosts.holds(action, Some(host), HostPattern::matches) {
            return Some(Miss::Host);
        }
        if !self.paths.holds(action, Some(path), Pattern::matches) {
            return Some(Miss::Path);
        }
        None
    }

    /// Whether nothing can be meant.
    pub(super) fn contradicts_itself(&self) -> bool {
        selects_nothing(&self.methods)
            || selects_nothing(&self.paths)
            || selects_nothing(&self.hosts)
            || selects_nothing(&self.ports)
    }

    const fn speaks_of_http(&self) -> bool {
        !(self.methods.asks_nothing() && self.paths.asks_nothing() && self.hosts.asks_nothing())
    }
}

impl Covers for RequestPattern {
    fn covers(&self, other: &Self) -> bool {
        self.methods.covers(&other.methods)
            && self.paths.covers(&other.paths)
            && self.hosts.covers(&other.hosts)
            && self.ports.covers(&other.ports)
    }
}
