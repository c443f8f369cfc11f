//! The name of one request: the one a trusted peer gave it, or one made up here.

use authmesh::worker::with_dice;
use authmesh_logic::hygiene;
use authmesh_logic::request_head::Fields;
use http::{HeaderName, HeaderValue};

/// The field that names a request in requests, answers and logs.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The name of a request.
pub(crate) enum RequestId {
    Given(HeaderValue),
    // Kept as text: a value shared by two heads costs more than making it twice, and most requests
    // need it once.
    Made([u8; 32]),
}

impl RequestId {
    /// The identifier a trusted peer gave the request, or a new one.
    pub(crate) fn of(fields: &dyn Fields, is_trusted: bool) -> Self {
        if is_trusted
            && let Some(id) = fields.first(REQUEST_ID.as_str())
            && hygiene::is_request_id(id)
            && let Ok(id) = HeaderValue::from_bytes(id)
        {
            return Self::Given(id);
        }
        let bits = with_dice(|dice| [dice.bits().to_be_bytes(), dice.bits().to_be_bytes()]);
        let mut text = [0_u8; 32];
        for (pair, byte) in text.chunks_exact_mut(2).zip(bits.as_flattened()) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        Self::Made(text)
    }

    /// The identifier as text.
    pub(crate) fn text(&self) -> &[u8] {
        match self {
            Self::Given(value) => value.as_bytes(),
            Self::Made(text) => text,
        }
    }

    /// The identifier as the value of a field.
    pub(crate) fn value(&self) -> HeaderValue {
        match self {
            Self::Given(value) => value.clone(),
            // Hexadecimal digits are lawful in a field.
            Self::Made(text) => {
                HeaderValue::from_bytes(text).unwrap_or_else(|_| HeaderValue::from_static("0"))
            }
        }
    }
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::HeaderFields;
    use http::HeaderMap;

    #[test]
    fn a_made_up_identifier_is_hexadecimal_and_new_each_time() {
        let headers = HeaderMap::new();
        let [one, two] = [(), ()].map(|()| RequestId::of(&HeaderFields(&headers), true).value());
        assert_ne!(one, two);
        assert!(one.len() == 32 && one.as_bytes().iter().all(u8::is_ascii_hexdigit));
    }

    #[test]
    fn an_identifier_is_the_same_each_time_it_is_asked_for() {
        let id = RequestId::of(&HeaderFields(&HeaderMap::new()), false);
        assert_eq!(id.value(), id.value());
    }

    #[test]
    fn only_a_trusted_peer_names_its_request() {
        let mut headers = HeaderMap::new();
        headers.insert(REQUEST_ID, HeaderValue::from_static("abc-1"));
        assert_eq!(RequestId::of(&HeaderFields(&headers), true).value(), "abc-1");
        assert_ne!(RequestId::of(&HeaderFields(&headers), false).value(), "abc-1");
    }
}
