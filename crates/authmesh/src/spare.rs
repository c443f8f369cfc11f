//! A request kept so that it can be sent again.
//!
//! One is kept for nearly every request and hardly any is needed, so keeping is made cheap at the
//! expense of needing: the fields are written one behind another into a single piece of memory,
//! instead of sharing every name and value.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version};

use crate::request_body::RequestBody;

/// A request that may be needed again.
pub(crate) struct Spare {
    method: Method,
    uri: Uri,
    version: Version,
    fields: Fields,
    body: RequestBody,
}

impl Spare {
    /// A second copy, if the request's body is whole.
    pub(crate) fn of(request: &Request<RequestBody>) -> Option<Self> {
        let body = request.body().copy()?;
        Some(Self {
            method: request.method().clone(),
            uri: request.uri().clone(),
            version: request.version(),
            fields: Fields::of(request.headers()),
            body,
        })
    }

    pub(crate) fn into_request(self) -> Request<RequestBody> {
        let mut request = Request::new(self.body);
        *request.method_mut() = self.method;
        *request.uri_mut() = self.uri;
        *request.version_mut() = self.version;
        *request.headers_mut() = self.fields.into_map();
        request
    }
}

/// Fields as text: of each the two lengths, the name, the value.
struct Fields(Vec<u8>);

/// Set where a value must not be indexed by HTTP/2's compression.
const SENSITIVE: u64 = 1 << 63;

/// How many bits hold the length of a name: no head is that large.
const NAME_BITS: u32 = 31;

/// Room enough for small heads, in bytes; larger ones find more.
const ROOM: usize = 256;

impl Fields {
    fn of(map: &HeaderMap) -> Self {
        let mut text = Vec::with_capacity(ROOM);
        for (name, value) in map {
            let (name, bytes) = (name.as_str().as_bytes(), value.as_bytes());
            let sensitive = if value.is_sensitive() { SENSITIVE } else { 0 };
            let lengths = sensitive | (bytes.len() as u64) << NAME_BITS | name.len() as u64;
            text.reserve(size_of::<u64>() + name.len() + bytes.len());
            text.extend_from_slice(&lengths.to_ne_bytes());
            text.extend_from_slice(name);
            text.extend_from_slice(bytes);
        }
        Self(text)
    }

    fn into_map(self) -> HeaderMap {
        let mut map = HeaderMap::new();
        let mut rest = &*self.0;
        while let Some((field, behind)) = Field::first_of(rest) {
            rest = behind;
            // Both were lawful when they were kept.
            if let (Ok(name), Ok(mut value)) =
                (HeaderName::from_bytes(field.name), HeaderValue::from_bytes(field.value))
            {
                value.set_sensitive(field.is_sensitive);
                map.append(name, value);
            }
        }
        map
    }
}

/// One field as it is kept.
struct Field<'a> {
    name: &'a [u8],
    value: &'a [u8],
    is_sensitive: bool,
}

impl<'a> Field<'a> {
    /// The first field of `text`, and what stands behind it.
    fn first_of(text: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (lengths, rest) = text.split_first_chunk()?;
        let lengths = u64::from_ne_bytes(*lengths);
        let name = lengths & ((1 << NAME_BITS) - 1);
        let value = (lengths & !SENSITIVE) >> NAME_BITS;
        let (name, rest) = rest.split_at_checked(usize::try_from(name).ok()?)?;
        let (value, rest) = rest.split_at_checked(usize::try_from(value).ok()?)?;
        Some((Self { name, value, is_sensitive: lengths & SENSITIVE != 0 }, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spare_becomes_the_request_it_was_kept_of() {
        let mut request = Request::new(RequestBody::whole("body".into()));
        *request.method_mut() = Method::PUT;
        *request.uri_mut() = "/a?b=c".parse().unwrap();
        *request.version_mut() = Version::HTTP_2;
        let mut token = HeaderValue::from_static("secret");
        token.set_sensitive(true);
        let fields = [
            ("host", HeaderValue::from_static("token")),
            ("x-empty", HeaderValue::from_static("")),
            ("authorization", token),
            ("accept", HeaderValue::from_static("a")),
            ("accept", HeaderValue::from_bytes(b"\xff").unwrap()),
        ];
        for (name, value) in fields {
            request.headers_mut().append(HeaderName::from_static(name), value);
        }
        let again = Spare::of(&request).unwrap().into_request();
        assert_eq!(again.method(), request.method());
        assert_eq!(again.uri(), request.uri());
        assert_eq!(again.version(), request.version());
        assert_eq!(again.headers(), request.headers());
        assert!(again.headers()["authorization"].is_sensitive());
        assert!(!again.headers()["host"].is_sensitive());
    }

    #[test]
    fn a_body_that_is_read_once_leaves_no_spare() {
        let body = RequestBody::streamed(http_body_util::Full::new("body".into()));
        assert!(Spare::of(&Request::new(body)).is_none());
    }
}
