//! Reads the facts of an X.509 certificate that decide about identity; verifies no signature.

use super::der::{BadDer, Tag, Values, only};
use super::lifetime::Lifetime;
use super::time::lifetime;

/// The facts of a certificate (RFC 5280) that decide about identity.
///
/// Nothing of it is verified: whoever made the bytes chose the facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate<'a> {
    /// The number by which its issuer knows it, as encoded.
    pub serial: &'a [u8],
    /// Who issued it: the encoded parts of a distinguished name.
    pub issuer: &'a [u8],
    /// From when until when it holds.
    pub lifetime: Lifetime,
    /// The URIs among its subject alternative names.
    pub uris: Uris<'a>,
    /// Whether a subject alternative name of another kind, or the subject, spells a SPIFFE ID.
    pub has_id_elsewhere: bool,
    /// Whether it says that it may sign certificates, by its basic constraints.
    pub is_authority: bool,
    /// What its key may be used for; `None` if it does not say.
    pub key_use: Option<KeyUse>,
    /// What it may be used for; `None` if it does not say.
    pub extended_use: Option<ExtendedUse>,
}

/// The URIs among the subject alternative names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uris<'a> {
    /// How many there are.
    pub count: usize,
    /// The first.
    pub first: Option<&'a [u8]>,
}

/// The key usage extension.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyUse {
    /// Whether who does not understand it must refuse the certificate.
    pub is_critical: bool,
    /// It may sign, as handshakes need.
    pub digital_signature: bool,
    /// It may sign certificates.
    pub certificate_sign: bool,
    /// It may sign revocation lists.
    pub crl_sign: bool,
}

/// The extended key usage extension.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExtendedUse {
    /// It may prove a server.
    pub server: bool,
    /// It may prove a client.
    pub client: bool,
}

/// The bytes are no certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

const KEY_USAGE: &[u8] = &[0x55, 0x1D, 0x0F];
const SUBJECT_ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1D, 0x11];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1D, 0x13];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1D, 0x25];
const SERVER_AUTHENTICATION: &[u8] = &[0x2B, 6, 1, 5, 5, 7, 3, 1];
const CLIENT_AUTHENTICATION: &[u8] = &[0x2B, 6, 1, 5, 5, 7, 3, 2];

/// The number of the kind of names that are URIs.
const URI: Tag = Tag::bytes(6);

/// How a SPIFFE ID begins.
const SCHEME: &[u8] = b"spiffe://";

impl<'a> Certificate<'a> {
    /// Reads a certificate in DER.
    ///
    /// # Errors
    ///
    /// When the bytes are no certificate, or an extension that decides about identity is damaged
    /// or there twice.
    pub fn read(der: &'a [u8]) -> Result<Self, Malformed> {
        read(der).map_err(|BadDer| Malformed)
    }
}

fn read(der: &[u8]) -> Result<Certificate<'_>, BadDer> {
    let mut whole = Values::of(only(der, Tag::SEQUENCE)?);
    let mut fields = Values::of(whole.expect(Tag::SEQUENCE)?);
    whole.expect(Tag::SEQUENCE)?;
    whole.expect(Tag::BIT_STRING)?;
    whole.end()?;

    fields.take_if(Tag::held(0))?;
    let serial = fields.expect(Tag::INTEGER)?;
    fields.expect(Tag::SEQUENCE)?;
    let issuer = fields.expect(Tag::SEQUENCE)?;
    let lifetime = lifetime(fields.expect(Tag::SEQUENCE)?)?;
    let subject = fields.expect(Tag::SEQUENCE)?;
    fields.expect(Tag::SEQUENCE)?;
    fields.take_if(Tag::bytes(1))?;
    fields.take_if(Tag::bytes(2))?;
    let mut certificate = Certificate {
        serial,
        issuer,
        lifetime,
        uris: Uris::default(),
        has_id_elsewhere: spells_id(subject),
        is_authority: false,
        key_use: None,
        extended_use: None,
    };
    if let Some(extensions) = fields.take_if(Tag::held(3))? {
        read_extensions(&mut certificate, only(extensions, Tag::SEQUENCE)?)?;
    }
    fields.end()?;
    Ok(certificate)
}

fn read_extensions<'a>(certificate: &mut Certificate<'a>, list: &'a [u8]) -> Result<(), BadDer> {
    let mut extensions = Values::of(list);
    let (mut has_names, mut has_constraints) = (false, false);
    while !extensions.is_empty() {
        let mut extension = Values::of(extensions.expect(Tag::SEQUENCE)?);
        let name = extension.expect(Tag::OBJECT_IDENTIFIER)?;
        let is_critical = match extension.take_if(Tag::BOOLEAN)? {
            None => false,
            Some([0xFF]) => true,
            Some(_) => return Err(BadDer),
        };
        let value = extension.expect(Tag::OCTET_STRING)?;
        extension.end()?;
        let is_second = match name {
            KEY_USAGE => certificate.key_use.replace(key_use(value, is_critical)?).is_some(),
            EXTENDED_KEY_USAGE => certificate.extended_use.replace(extended_use(value)?).is_some(),
            BASIC_CONSTRAINTS => {
                certificate.is_authority = is_authority(value)?;
                core::mem::replace(&mut has_constraints, true)
            }
            SUBJECT_ALTERNATIVE_NAME => {
                read_names(certificate, only(value, Tag::SEQUENCE)?)?;
                core::mem::replace(&mut has_names, true)
            }
            _ => false,
        };
        // Readers that take the first and those that take the last would see two certificates.
        if is_second {
            return Err(BadDer);
        }
    }
    Ok(())
}

fn read_names<'a>(certificate: &mut Certificate<'a>, list: &'a [u8]) -> Result<(), BadDer> {
    let mut names = Values::of(list);
    while !names.is_empty() {
        let (kind, name) = names.next()?;
        if kind == URI {
            certificate.uris.count += 1;
            certificate.uris.first.get_or_insert(name);
        } else {
            certificate.has_id_elsewhere |= spells_id(name);
        }
    }
    Ok(())
}

fn spells_id(bytes: &[u8]) -> bool {
    bytes.windows(SCHEME.len()).any(|window| window.eq_ignore_ascii_case(SCHEME))
}

fn is_authority(value: &[u8]) -> Result<bool, BadDer> {
    let mut constraints = Values::of(only(value, Tag::SEQUENCE)?);
    let is_authority = match constraints.take_if(Tag::BOOLEAN)? {
        // Written out although it is the default: not DER, but common, and it says no.
        None | Some([0]) => false,
        Some([0xFF]) => true,
        Some(_) => return Err(BadDer),
    };
    constraints.take_if(Tag::INTEGER)?;
    constraints.end()?;
    Ok(is_authority)
}

fn key_use(value: &[u8], is_critical: bool) -> Result<KeyUse, BadDer> {
    let bits = only(value, Tag::BIT_STRING)?;
    let (&unused, bits) = bits.split_first().ok_or(BadDer)?;
    if unused > 7 || (bits.is_empty() && unused != 0) {
        return Err(BadDer);
    }
    let first = bits.first().copied().unwrap_or(0);
    // Bit 0 is the highest (RFC 5280 §4.2.1.3).
    Ok(KeyUse {
        is_critical,
        digital_signature: first & 0x80 != 0,
        certificate_sign: first & 0x04 != 0,
        crl_sign: first & 0x02 != 0,
    })
}

fn extended_use(value: &[u8]) -> Result<ExtendedUse, BadDer> {
    let mut purposes = Values::of(only(value, Tag::SEQUENCE)?);
    let mut extended = ExtendedUse::default();
    while !purposes.is_empty() {
        match purposes.expect(Tag::OBJECT_IDENTIFIER)? {
            SERVER_AUTHENTICATION => extended.server = true,
            CLIENT_AUTHENTICATION => extended.client = true,
            _ => {}
        }
    }
    Ok(extended)
}

#[cfg(test)]
mod tests {
    use core::time::Duration;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    fn value(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).unwrap();
        [&[tag, length], content].concat()
    }

    #[test]
    fn key_usage_bits_count_from_the_highest() {
        let signs = key_use(&[0x03, 2, 7, 0x80], true).unwrap();
        assert!(signs.digital_signature && signs.is_critical && !signs.certificate_sign);
        let authority = key_use(&[0x03, 2, 1, 0x06], false).unwrap();
        assert!(authority.certificate_sign && authority.crl_sign && !authority.digital_signature);
        assert_eq!(key_use(&[0x03, 1, 0], false), Ok(KeyUse::default()));
        for bad in [&[0x03, 0][..], &[0x03, 1, 3], &[0x03, 2, 8, 0x80], &[0x04, 2, 7, 0x80]] {
            assert_eq!(key_use(bad, false), Err(BadDer), "{bad:x?}");
        }
    }

    #[test]
    fn an_extension_written_twice_is_refused() {
        let usage = [value(6, KEY_USAGE), value(4, &[0x03, 2, 7, 0x80])].concat();
        let one = value(0x30, &usage);
        let mut certificate = empty();
        assert_eq!(read_extensions(&mut certificate, &one), Ok(()));
        let two = [one.clone(), one].concat();
        assert_eq!(read_extensions(&mut empty(), &two), Err(BadDer));
    }

    fn empty() -> Certificate<'static> {
        let moment = Duration::ZERO;
        Certificate {
            serial: &[],
            issuer: &[],
            lifetime: Lifetime { from: moment, until: moment },
            uris: Uris::default(),
            has_id_elsewhere: false,
            is_authority: false,
            key_use: None,
            extended_use: None,
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Certificate::read(&bytes);
            let _ = Certificate::read(&value(0x30, &bytes[..bytes.len().min(127)]));
        }
    }
}
