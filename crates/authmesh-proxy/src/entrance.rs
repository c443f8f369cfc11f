//! Where a request came in, and what follows from that.

use authmesh_logic::config::Limits;
use authmesh_logic::hygiene::Client;
use authmesh_logic::hygiene::request::Bounds;
use http::HeaderValue;

use crate::access::Caller;
use crate::peer::Peer;

/// Where a request came in.
pub(crate) struct Entrance<'a> {
    pub(crate) listener: &'a str,
    /// The peer; `None` on a Unix socket.
    pub(crate) peer: Option<&'a Peer>,
    /// The SPIFFE ID that the peer proved, and the same as it is told to services.
    pub(crate) identity: Option<&'a str>,
    pub(crate) identity_field: Option<&'a HeaderValue>,
    /// The port of the listener; `None` on a Unix socket.
    pub(crate) port: Option<u16>,
    pub(crate) is_tls: bool,
}

impl Entrance<'_> {
    /// Who calls.
    pub(crate) fn caller(&self, client: Option<Client>) -> Caller<'_> {
        let client = client.map(|client| client.address);
        Caller {
            identity: self.identity,
            peer: self.peer.map(|peer| peer.address),
            client,
            port: self.port,
        }
    }

    /// What a head that came in here may hold.
    pub(crate) fn bounds(&self, limits: &Limits) -> Bounds {
        Bounds {
            fields: limits.headers,
            head_bytes: limits.header_bytes,
            target_bytes: limits.target_bytes,
            encrypted: self.is_tls,
            ..Bounds::default()
        }
    }
}
