//! Reads revocation lists, and names what happens where they say nothing.

use alloc::vec::Vec;

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
    /// It is let in. A list that names it still refuses it.
    Warn,
}

/// The facts of a certificate revocation list (RFC 5280 §5). Its signature is not verified.
///
/// A list that speaks for a part of what its issuer issued, for other issuers, or only of what has
/// changed, is none of these: taken for the whole, it would let the revoked pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationList<'a> {
    /// Who issued it: the encoded parts of a distinguished name.
    pub issuer: &'a [u8],
    /// From its making to its next update.
    pub lifetime: Lifetime,
    /// The numbers of the revoked certificates, as encoded.
    pub revoked: Vec<&'a [u8]>,
    /// The bytes that are signed.
    pub signed: &'a [u8],
    /// How they are signed: an algorithm and its parameters, as encoded.
    pub algorithm: &'a [u8],
    /// The signature.
    pub signature: &'a [u8],
}

/// Narrows a list to a part (§5.2.5) or to what has changed (§5.2.4).
const NARROWING: [&[u8]; 2] = [&[0x55, 0x1D, 0x1C], &[0x55, 0x1D, 0x1B]];

impl<'a> RevocationList<'a> {
    /// Reads a revocation list in DER.
    ///
    /// # Errors
    ///
    /// When the bytes are no revocation list, or one that says less than it seems to: without a
    /// next update, for a part, or with something critical that is not understood.
    pub fn read(der: &'a [u8]) -> Result<Self, Malformed> {
        read(der).map_err(|BadDer| Malformed)
    }
}

fn read(der: &[u8]) -> Result<RevocationList<'_>, BadDer> {
    let mut whole = Values::of(only(der, Tag::SEQUENCE)?);
    let (signed, fields) = whole.expect_whole(Tag::SEQUENCE)?;
    let algorithm = whole.expect(Tag::SEQUENCE)?;
    // The count of unused bits comes first, and a signature has whole bytes.
    let Some((0, signature)) = whole.expect(Tag::BIT_STRING)?.split_first() else {
        return Err(BadDer);
    };
    whole.end()?;

    let mut fields = Values::of(fields);
    fields.take_if(Tag::INTEGER)?;
    if fields.expect(Tag::SEQUENCE)? != algorithm {
        return Err(BadDer);
    }
    let issuer = fields.expect(Tag::SEQUENCE)?;
    let lifetime = Lifetime { from: time(&mut fields)?, until: time(&mut fields)? };
    let revoked = match fields.take_if(Tag::SEQUENCE)? {
        Some(entries) => serials(entries)?,
        None => Vec::new(),
    };
    if let Some(extensions) = fields.take_if(Tag::held(0))? {
        refuse_narrowing(only(extensions, Tag::SEQUENCE)?)?;
    }
    fields.end()?;
    Ok(RevocationList { issuer, lifetime, revoked, signed, algorithm, signature })
}

fn serials(entries: &[u8]) -> Result<Vec<&[u8]>, BadDer> {
    let mut entries = Values::of(entries);
    let mut serials = Vec::new();
    while !entries.is_empty() {
        let mut entry = Values::of(entries.expect(Tag::SEQUENCE)?);
        serials.push(entry.expect(Tag::INTEGER)?);
        time(&mut entry)?;
        if let Some(extensions) = entry.take_if(Tag::SEQUENCE)? {
            refuse_narrowing(extensions)?;
        }
        entry.end()?;
    }
    Ok(serials)
}

/// Refuses what is critical or narrows a list: nothing critical is understood here.
fn refuse_narrowing(extensions: &[u8]) -> Result<(), BadDer> {
    let mut extensions = Values::of(extensions);
    while !extensions.is_empty() {
        let mut extension = Values::of(extensions.expect(Tag::SEQUENCE)?);
        let name = extension.expect(Tag::OBJECT_IDENTIFIER)?;
        let is_critical = extension.take_if(Tag::BOOLEAN)?.is_some_and(|value| value != [0]);
        extension.expect(Tag::OCTET_STRING)?;
        extension.end()?;
        if is_critical || NARROWING.contains(&name) {
            return Err(BadDer);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn value(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).unwrap();
        [&[tag, length], content].concat()
    }

    fn extension(name: &[u8], critical: bool) -> Vec<u8> {
        let mark = if critical { value(1, &[0xFF]) } else { Vec::new() };
        value(0x30, &[value(6, name), mark, value(4, &[])].concat())
    }

    /// A list made on the first second of 1970 and due on the ninth, with `rest` behind the times.
    fn list(rest: &[u8]) -> Vec<u8> {
        let (algorithm, issuer) = (value(0x30, &[6, 1, 1]), value(0x30, b"me"));
        let (made, next) = (value(0x17, b"700101000001Z"), value(0x17, b"700101000009Z"));
        let fields = [&value(2, &[1])[..], &algorithm, &issuer, &made, &next, rest].concat();
        let signature = value(3, &[0, 7, 7]);
        value(0x30, &[value(0x30, &fields), algorithm, signature].concat())
    }

    fn entry(serial: &[u8], extensions: &[u8]) -> Vec<u8> {
        let extensions = if extensions.is_empty() { Vec::new() } else { value(0x30, extensions) };
        value(0x30, &[value(2, serial), value(0x17, b"700101000000Z"), extensions].concat())
    }

    #[test]
    fn a_list_says_who_is_revoked_and_until_when_it_holds() {
        let number = value(0xA0, &value(0x30, &extension(&[0x55, 0x1D, 0x14], false)));
        let entries =
            value(0x30, &[entry(&[5], &[]), entry(&[9], &extension(&[1], false))].concat());
        let der = list(&[entries, number].concat());
        let read = RevocationList::read(&der).unwrap();
        assert_eq!((read.issuer, read.signature), (&b"me"[..], &[7, 7][..]));
        assert_eq!(read.revoked, [&[5][..], &[9]]);
        assert_eq!(read.signed, &der[2..2 + 2 + usize::from(der[3])]);
        let (from, until) = (Duration::from_secs(1), Duration::from_secs(9));
        assert_eq!(read.lifetime, Lifetime { from, until });
        assert!(RevocationList::read(&list(&[])).unwrap().revoked.is_empty());
    }

    #[test]
    fn a_list_that_says_less_than_it_seems_to_is_refused() {
        let of_list =
            |name: &[u8], critical| list(&value(0xA0, &value(0x30, &extension(name, critical))));
        for der in [
            of_list(NARROWING[0], true),
            of_list(NARROWING[0], false),
            of_list(NARROWING[1], false),
            of_list(&[0x55, 0x1D, 0x14], true),
            list(&value(0x30, &entry(&[5], &extension(&[1], true)))),
            list(&value(0x02, &[1])),
            b"x".to_vec(),
        ] {
            assert_eq!(RevocationList::read(&der), Err(Malformed), "{der:x?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = RevocationList::read(&bytes);
            let _ = RevocationList::read(&list(&bytes[..bytes.len().min(40)]));
        }
    }
}
