//! A request that may go on: at once, or when the key of its token has come.

use std::sync::Arc;

use authmesh::ServiceClient;
use authmesh::jwt::KeyWait;
use http::{HeaderMap, HeaderName, Request};

use crate::access::{Access, KeptCaller};
use crate::fields::{HeaderFields, head_of};
use crate::refusal::Refusal;
use crate::switched::{Asking, say_websocket};

/// A request that may go on.
pub(crate) struct Onward {
    pub(crate) service: ServiceClient,
    pub(crate) asking: Option<Box<Asking>>,
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
    pub(crate) caller: KeptCaller,
    /// Where it goes if it may.
    pub(crate) then: Result<Onward, Refusal>,
    /// What is said of it upstream if it may go on.
    pub(crate) said: HeaderMap,
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

impl From<Refusal> for Halt {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
