//! Takes a token in its compact form apart: header, payload and signature, still encoded.

use super::TokenFault;

/// A token in its compact form (RFC 7515 §7.1), taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compact<'a> {
    /// The header, encoded.
    pub header: &'a str,
    /// The payload, encoded.
    pub payload: &'a str,
    /// The signature, encoded.
    pub signature: &'a str,
    /// What is signed: header and payload with the dot between them, as sent.
    pub signed: &'a str,
}

impl<'a> Compact<'a> {
    /// Takes apart a token of at most `longest` bytes.
    ///
    /// # Errors
    ///
    /// [`TokenFault::TokenTooLarge`], and [`TokenFault::Malformed`] if there are not exactly three
    /// segments: encrypted tokens have five.
    pub fn of(token: &'a str, longest: usize) -> Result<Self, TokenFault> {
        if token.len() > longest {
            return Err(TokenFault::TokenTooLarge);
        }
        let mut segments = token.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (segments.next(), segments.next(), segments.next(), segments.next())
        else {
            return Err(TokenFault::Malformed);
        };
        let signed = &token[..token.len() - signature.len() - 1];
        Ok(Self { header, payload, signature, signed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_three_segments_and_is_no_longer_than_allowed() {
        let compact = Compact::of("aa.bb.cc", 8).unwrap();
        let parts = (compact.header, compact.payload, compact.signature, compact.signed);
        assert_eq!(parts, ("aa", "bb", "cc", "aa.bb"));
        assert_eq!(Compact::of("..", 8).unwrap().signed, ".");
        assert_eq!(Compact::of("aa.bb.ccc", 8), Err(TokenFault::TokenTooLarge));
        for token in ["", "a", "a.b", "a.b.c.d", "a.b.c.d.e", "{}"] {
            assert_eq!(Compact::of(token, 64), Err(TokenFault::Malformed), "{token}");
        }
    }
}
