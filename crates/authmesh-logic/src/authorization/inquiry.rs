//! Who asks for what: the borrowed view of a request that access rules see.

use core::net::IpAddr;

use crate::request_head::Fields;

/// Who asks for what. Whatever is `None` was not proved or does not exist, and never helps a caller.
#[derive(Clone, Copy)]
pub struct Inquiry<'a> {
    /// The service that is asked.
    pub service: &'a str,
    /// The caller's SPIFFE ID, as the connection proved it.
    pub identity: Option<&'a str>,
    /// The address at the other end of the connection; none on a Unix socket.
    pub peer: Option<IpAddr>,
    /// The address of the client, as far as trusted proxies vouch for it.
    pub client: Option<IpAddr>,
    /// The port the connection came in on; none on a Unix socket.
    pub port: Option<u16>,
    /// What is asked; none on a connection that does not speak HTTP.
    pub request: Option<RequestView<'a>>,
    /// What a verified token says.
    pub token: Option<&'a dyn Claims>,
}

/// What is asked.
#[derive(Clone, Copy)]
pub struct RequestView<'a> {
    /// The method, as sent.
    pub method: &'a str,
    /// The host, without its port ([`host_of`](crate::routing::host_of)).
    pub host: &'a str,
    /// The path in normal form ([`normalise`](crate::hygiene::path::normalise)), or `*`.
    pub path: &'a str,
    /// The header fields.
    pub fields: &'a dyn Fields,
}

/// What a token says once it is verified.
pub trait Claims {
    /// Who issued it.
    fn issuer(&self) -> &str;
    /// Whom it is about.
    fn subject(&self) -> &str;
    /// Calls `visit` with the text of this claim, or with each text of a claim that is a list. Truth
    /// values and whole numbers have the text that JSON writes; what has none is not visited.
    fn each_text(&self, name: &str, visit: &mut dyn FnMut(&str));
}

/// Claims whose text is a list with spaces between its elements (RFC 8693 §4.2; `scp` is what some
/// issuers call the same).
const SPACED: [&str; 2] = ["scope", "scp"];

/// Calls `visit` with the text of the claim `name`, or with each element of one that is a list with
/// spaces.
pub(crate) fn each_element(name: &str, text: &str, visit: &mut dyn FnMut(&str)) {
    if SPACED.contains(&name) {
        text.split(' ').filter(|element| !element.is_empty()).for_each(visit);
    } else {
        visit(text);
    }
}
