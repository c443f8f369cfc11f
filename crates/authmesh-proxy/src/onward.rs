//! A request that may go on: at once, or when the key of its token has come.

use std::net::IpAddr;
use std::sync::Arc;

use authmesh::ServiceClient;
use authmesh::jwt::KeyWait;
use http::{HeaderMap, HeaderName, Request};

use crate::access::{Access, Caller};
use crate::fields::{HeaderFields, head_of};
use crate::reply::Refusal;
use crate::switched::{Asking, say_websocket};

/// A request that may go on.
pub(crate) struct Onward {
    pub(crate) service: ServiceClient,
    pub(crate) asking: Option<Asking>,
}

/// Why a request does not go on, or not yet.
pub(crate) enum Halt {
    Refused(Refusal),
    /// On the heap: it is rare, and requests that go on at once should not be larger for it.
    Held(Box<Held>),
}

/// A request that waits for the key of its token.
pub(crate) struct Held {
    pub(crate) access: Arc<Access>,
    pub(crate) wait: KeyWait,
    pub(crate) caller: HeldCaller,
    /// Where it goes if it may.
    pub(crate) then: Result<Onward, Refusal>,
    /// What is said of it upstream if it may go on.
    pub(crate) said: HeaderMap,
}

/// Who calls, kept while the request waits.
pub(crate) struct HeldCaller {
    identity: Option<Box<str>>,
    peer: Option<IpAddr>,
    client: Option<IpAddr>,
    port: Option<u16>,
}

impl Held {
    /// Waits, asks the rules again, and makes the request what goes on. `unless_said` is the field
    /// that the request may say itself.
    pub(crate) async fn go_on<B>(
        self: Box<Self>,
        request: &mut Request<B>,
        unless_said: &HeaderName,
    ) -> Result<Onward, Refusal> {
        let Self { access, wait, caller, then, said } = *self;
        wait.ended().await;
        let service = then.as_ref().map_or("", |onward| onward.service.name());
        let admitted = {
            let fields = HeaderFields(request.headers());
            access.admit_finally(caller.borrowed(), service, &head_of(request, &fields))?
        };
        let onward = then?;
        let headers = request.headers_mut();
        admitted.tell(headers);
        for (name, value) in said {
            // Without a name a value would be a further one of the field before; there is none.
            let Some(name) = name else { continue };
            if name != *unless_said || !headers.contains_key(&name) {
                headers.insert(name, value);
            }
        }
        if onward.asking.is_some() {
            say_websocket(headers);
        }
        Ok(onward)
    }
}

impl From<Caller<'_>> for HeldCaller {
    fn from(caller: Caller<'_>) -> Self {
        let Caller { identity, peer, client, port } = caller;
        Self { identity: identity.map(Into::into), peer, client, port }
    }
}

impl HeldCaller {
    fn borrowed(&self) -> Caller<'_> {
        let Self { identity, peer, client, port } = self;
        Caller { identity: identity.as_deref(), peer: *peer, client: *client, port: *port }
    }
}

impl From<Refusal> for Halt {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
