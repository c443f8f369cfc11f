//! What revocation lists are worth where they fail, and how long one holds.

use super::certificate::Malformed;
use super::der::{BadDer, Tag, Values, only};
use super::lifetime::Lifetime;
use super::time::time;

/// What happens to a peer of whom no usable revocation list speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RevocationMode {
    /// It is refused.
    #[default]
    Require,
    /// It is let in, and the log says so. A list that names it still refuses it.
    Warn,
}

/// From when until when a certificate revocation list in DER (RFC 5280 §5.1) holds.
///
/// # Errors
///
/// When the bytes are no revocation list, or it does not say when the next comes.
pub fn revocation_list_lifetime(der: &[u8]) -> Result<Lifetime, Malformed> {
    read(der).map_err(|BadDer| Malformed)
}

fn read(der: &[u8]) -> Result<Lifetime, BadDer> {
    let mut whole = Values::of(only(der, Tag::SEQUENCE)?);
    let mut fields = Values::of(whole.expect(Tag::SEQUENCE)?);
    fields.take_if(Tag::INTEGER)?;
    fields.expect(Tag::SEQUENCE)?;
    fields.expect(Tag::SEQUENCE)?;
    Ok(Lifetime { from: time(&mut fields)?, until: time(&mut fields)? })
}

#[cfg(test)]
mod tests {
    use core::time::Duration;
    use std::vec::Vec;

    use super::*;

    fn value(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).unwrap();
        [&[tag, length], content].concat()
    }

    #[test]
    fn a_list_holds_from_its_making_to_the_next() {
        let empty = value(0x30, &[]);
        let (made, next) = (value(0x17, b"700101000001Z"), value(0x17, b"700101000009Z"));
        let list = |parts: &[&[u8]]| value(0x30, &value(0x30, &parts.concat()));
        let lifetime = Lifetime { from: Duration::from_secs(1), until: Duration::from_secs(9) };
        let version = value(2, &[1]);
        let whole = list(&[&version, &empty, &empty, &made, &next]);
        assert_eq!(revocation_list_lifetime(&whole), Ok(lifetime));
        let first_version = list(&[&empty, &empty, &made, &next]);
        assert_eq!(revocation_list_lifetime(&first_version), Ok(lifetime));
        let endless = list(&[&version, &empty, &empty, &made]);
        assert_eq!(revocation_list_lifetime(&endless), Err(Malformed));
        assert_eq!(revocation_list_lifetime(b"x"), Err(Malformed));
    }
}
