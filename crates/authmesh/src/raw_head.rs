//! The head of an HTTP/1.1 message as bytes: where its fields stand in them.

use std::mem::MaybeUninit;
use std::ops::Range;

use authmesh_logic::request_head::{Fields, HttpVersion};

/// Where the parts of a head stand in the bytes it came in. Kept from message to message, so that its
/// memory is.
#[derive(Debug, Default)]
pub struct RawHead {
    places: Vec<Place>,
    /// Where the reason phrase of an answer stands.
    reason: (u32, u32),
    /// Where what follows the head begins.
    end: usize,
}

/// Where one field stands.
#[derive(Clone, Copy, Debug)]
struct Place {
    name: (u32, u32),
    value: (u32, u32),
}

/// The fields of a head, as rules see them.
#[derive(Clone, Copy, Debug, Default)]
pub struct RawFields<'a> {
    bytes: &'a [u8],
    places: &'a [Place],
}

/// The first line of a request.
#[derive(Clone, Debug)]
pub struct RequestLine {
    /// Where the method stands.
    pub method: Range<usize>,
    /// Where the target stands.
    pub target: Range<usize>,
}

/// These bytes are no head, or one with more than a hundred fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// The most fields of one head.
pub(crate) const MOST_FIELDS: usize = 100;

impl RawHead {
    /// Reads the head of a request in HTTP/1.1 and writes the names of its fields in lower case.
    /// `None` if it is not whole.
    ///
    /// # Errors
    ///
    /// When the bytes cannot become a head by more of them, or that of another version.
    pub fn read_request(&mut self, bytes: &mut [u8]) -> Result<Option<RequestLine>, Malformed> {
        self.places.clear();
        let mut space = [const { MaybeUninit::uninit() }; MOST_FIELDS];
        let mut request = httparse::Request::new(&mut []);
        let line = match request.parse_with_uninit_headers(bytes, &mut space) {
            Ok(httparse::Status::Complete(end)) => {
                self.end = end;
                let (Some(method), Some(target), Some(1)) =
                    (request.method, request.path, request.version)
                else {
                    return Err(Malformed);
                };
                RequestLine {
                    method: place_of(bytes, method.as_bytes()),
                    target: place_of(bytes, target.as_bytes()),
                }
            }
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(Malformed),
        };
        self.note(bytes, request.headers);
        self.lower(bytes);
        Ok(Some(line))
    }

    /// Reads the head of an answer, its status and version, and writes the names of its fields in lower
    /// case. `None` if it is not whole.
    ///
    /// # Errors
    ///
    /// When the bytes cannot become a head by more of them.
    pub fn read_answer(
        &mut self,
        bytes: &mut [u8],
    ) -> Result<Option<(u16, HttpVersion)>, Malformed> {
        self.places.clear();
        let mut space = [const { MaybeUninit::uninit() }; MOST_FIELDS];
        let mut answer = httparse::Response::new(&mut []);
        let config = httparse::ParserConfig::default();
        let parsed = config.parse_response_with_uninit_headers(&mut answer, bytes, &mut space);
        let (Ok(httparse::Status::Complete(end)), Some(status), Some(version)) =
            (parsed, answer.code, answer.version)
        else {
            return if parsed == Ok(httparse::Status::Partial) { Ok(None) } else { Err(Malformed) };
        };
        self.end = end;
        self.reason = narrow(place_of(bytes, answer.reason.unwrap_or_default().as_bytes()));
        self.note(bytes, answer.headers);
        self.lower(bytes);
        let version = if version == 0 { HttpVersion::Http10 } else { HttpVersion::Http11 };
        Ok(Some((status, version)))
    }

    /// The fields; `bytes` are those that were read.
    #[must_use]
    pub fn fields<'a>(&'a self, bytes: &'a [u8]) -> RawFields<'a> {
        RawFields { bytes, places: &self.places }
    }

    /// The reason phrase of an answer; `bytes` are those that were read.
    #[must_use]
    pub fn reason<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        bytes.get(wide(self.reason)).unwrap_or_default()
    }

    /// Where what follows the head begins.
    #[must_use]
    pub fn end(&self) -> usize {
        self.end
    }

    fn note(&mut self, bytes: &[u8], fields: &[httparse::Header<'_>]) {
        self.places.extend(fields.iter().map(|field| Place {
            name: narrow(place_of(bytes, field.name.as_bytes())),
            value: narrow(place_of(bytes, field.value)),
        }));
    }

    fn lower(&self, bytes: &mut [u8]) {
        for place in &self.places {
            if let Some(name) = bytes.get_mut(wide(place.name)) {
                name.make_ascii_lowercase();
            }
        }
    }
}

impl<'a> RawFields<'a> {
    /// Name, in lower case, and value of each field, in their order.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        self.raw().map(|(name, value)| (str::from_utf8(name).unwrap_or_default(), value))
    }

    /// The value of the first field with this lower-case name.
    #[must_use]
    pub fn named(self, name: &str) -> Option<&'a [u8]> {
        self.raw().find(|(own, _)| *own == name.as_bytes()).map(|(_, value)| value)
    }

    fn raw(self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let part = |place| self.bytes.get(wide(place)).unwrap_or_default();
        self.places.iter().map(move |place| (part(place.name), part(place.value)))
    }
}

impl Fields for RawFields<'_> {
    fn first(&self, name: &str) -> Option<&[u8]> {
        self.named(name)
    }

    fn count(&self, name: &str) -> usize {
        self.raw().filter(|(own, _)| *own == name.as_bytes()).count()
    }

    fn each(&self, visit: &mut dyn FnMut(&str, &[u8])) {
        self.iter().for_each(|(name, value)| visit(name, value));
    }
}

/// No head is so long that its places need more.
fn narrow(range: Range<usize>) -> (u32, u32) {
    let narrow = |place| u32::try_from(place).unwrap_or(u32::MAX);
    (narrow(range.start), narrow(range.end))
}

fn wide((start, end): (u32, u32)) -> Range<usize> {
    start as usize..end as usize
}

/// Where `part` stands in `bytes`, of which it is a part.
fn place_of(bytes: &[u8], part: &[u8]) -> Range<usize> {
    let start = part.as_ptr().addr().saturating_sub(bytes.as_ptr().addr());
    start..start + part.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(head: &RawHead, bytes: &[u8]) -> Vec<(String, String)> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        head.fields(bytes).iter().map(|(name, value)| (name.to_owned(), text(value))).collect()
    }

    #[test]
    fn the_parts_of_a_request_stand_where_they_are_said_to() {
        let mut bytes = b"POST /token?a=b HTTP/1.1\r\nHost: a\r\nX-Two:  b c \r\n\r\nbody".to_vec();
        let mut head = RawHead::default();
        for length in 0..bytes.len() - "body".len() {
            assert!(head.read_request(&mut bytes[..length]).unwrap().is_none(), "{length}");
        }
        let line = head.read_request(&mut bytes).unwrap().unwrap();
        assert_eq!(&bytes[line.method], b"POST");
        assert_eq!(&bytes[line.target], b"/token?a=b");
        assert_eq!(&bytes[head.end()..], b"body");
        let fields = [("host", "a"), ("x-two", "b c")];
        assert_eq!(listed(&head, &bytes), fields.map(|(a, b)| (a.to_owned(), b.to_owned())));
        let fields = head.fields(&bytes);
        assert_eq!(fields.first("x-two"), Some(&b"b c"[..]));
        assert_eq!((fields.first("x-t"), fields.count("host")), (None, 1));
    }

    #[test]
    fn an_answer_is_read_as_a_request_is() {
        let mut bytes = b"HTTP/1.1 204 No Content\r\nDate: d\r\n\r\n".to_vec();
        let mut head = RawHead::default();
        assert_eq!(head.read_answer(&mut bytes[..20]), Ok(None));
        assert_eq!(head.read_answer(&mut bytes), Ok(Some((204, HttpVersion::Http11))));
        assert_eq!(listed(&head, &bytes), [("date".to_owned(), "d".to_owned())]);
        assert_eq!((head.reason(&bytes), head.end()), (&b"No Content"[..], bytes.len()));
        let mut old = b"HTTP/1.0 200 OK\r\n\r\n".to_vec();
        assert_eq!(head.read_answer(&mut old), Ok(Some((200, HttpVersion::Http10))));
        assert!(listed(&head, &old).is_empty());
    }

    #[test]
    fn what_is_no_head_is_said_to_be_none() {
        let mut head = RawHead::default();
        for text in [
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "GET / HTTP/1.0\r\n\r\n",
            "GET /\r\n\r\n",
            "GET / HTTP/1.1\r\na : b\r\n\r\n",
            "GET / HTTP/1.1\r\na\r\n\r\n",
            "GET / HTTP/1.1\r\na: b\r\n c\r\n\r\n",
            "\u{16}\u{3}\u{1}",
        ] {
            assert_eq!(
                head.read_request(&mut text.as_bytes().to_vec()).err(),
                Some(Malformed),
                "{text:?}"
            );
        }
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(MOST_FIELDS + 1));
        assert_eq!(head.read_request(&mut many.into_bytes()).err(), Some(Malformed));
        for text in ["HTTP/2 200\r\n\r\n", "200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n"] {
            assert_eq!(head.read_answer(&mut text.as_bytes().to_vec()), Err(Malformed), "{text:?}");
        }
    }
}
