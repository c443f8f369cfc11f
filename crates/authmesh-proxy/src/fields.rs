//! Shows a request of the HTTP library as the small head that rules see.

use authmesh_logic::request_head::{Fields, HttpVersion, RequestHead};
use http::{HeaderMap, Request, Version};

/// The header fields of an HTTP message, as rules see them.
pub(crate) struct HeaderFields<'a>(pub(crate) &'a HeaderMap);

/// Up to so many fields are looked through one by one.
const SHORT: usize = 12;

impl Fields for HeaderFields<'_> {
    fn first(&self, name: &str) -> Option<&[u8]> {
        // A map looks a name up by its hash, for which it first reads the text as a name. Most heads
        // are so short that looking at each name takes less.
        if self.0.len() > SHORT {
            return self.0.get(name).map(http::HeaderValue::as_bytes);
        }
        self.0.iter().find(|(own, _)| *own == name).map(|(_, value)| value.as_bytes())
    }

    fn count(&self, name: &str) -> usize {
        self.0.get_all(name).iter().count()
    }

    fn each(&self, visit: &mut dyn FnMut(&str, &[u8])) {
        for (name, value) in self.0 {
            visit(name.as_str(), value.as_bytes());
        }
    }
}

/// The head of `request`, whose fields are `fields`.
pub(crate) fn head_of<'a, B>(
    request: &'a Request<B>,
    fields: &'a HeaderFields<'a>,
) -> RequestHead<'a> {
    let uri = request.uri();
    RequestHead {
        method: request.method().as_str(),
        version: match request.version() {
            Version::HTTP_10 => HttpVersion::Http10,
            Version::HTTP_2 => HttpVersion::Http2,
            _ => HttpVersion::Http11,
        },
        scheme: uri.scheme_str(),
        authority: uri.authority().map(http::uri::Authority::as_str),
        path: uri.path(),
        query: uri.query(),
        fields,
    }
}
