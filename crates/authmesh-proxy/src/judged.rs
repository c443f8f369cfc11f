//! A request whose connection goes on as another protocol: judged again as long as it does.

use http::Request;

use crate::access::{Access, Caller, KeptCaller};
use crate::fields::{HeaderFields, head_of};

/// A request as the access rules saw it.
pub(crate) struct Judged {
    caller: KeptCaller,
    service: Box<str>,
    head: Request<()>,
}

impl Judged {
    /// Keeps what the rules see of a request.
    pub(crate) fn of<B>(caller: Caller<'_>, service: &str, request: &Request<B>) -> Self {
        let mut head = Request::new(());
        *head.method_mut() = request.method().clone();
        *head.uri_mut() = request.uri().clone();
        *head.version_mut() = request.version();
        *head.headers_mut() = request.headers().clone();
        Self { caller: caller.into(), service: service.into(), head }
    }

    /// Whether it would pass by these rules, now: its token may have ended, too.
    pub(crate) fn still_passes(&self, access: &Access) -> bool {
        let fields = HeaderFields(self.head.headers());
        let head = head_of(&self.head, &fields);
        access.admit_finally(self.caller.borrowed(), &self.service, &head).is_ok()
    }
}
