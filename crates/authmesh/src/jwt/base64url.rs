//! Decodes base64url as tokens and keys are written: without padding, in the one canonical form.

use base64ct::{Base64UrlUnpadded, Encoding as _};

/// The bytes of a text; nothing if it is not the text that these bytes have.
pub(super) fn decoded(text: &str) -> Option<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_in_its_canonical_form_alone() {
        for (text, bytes) in
            [("", Some(&b""[..])), ("AQID", Some(&[1, 2, 3])), ("_-8", Some(&[0xff, 0xef]))]
        {
            assert_eq!(decoded(text).as_deref(), bytes, "{text}");
        }
        // Padding, another alphabet, white space, bits that stand for nothing, a lone character.
        for text in ["AQ==", "+/8", "AQ ID", "AQID\n", "AR", "A", "AQIDB"] {
            assert_eq!(decoded(text), None, "{text}");
        }
    }
}
