//! Reads the facts of an X.509 certificate that decide about identity; verifies no signature.

use core::time::Duration;

use super::der::{BadDer, Tag, Values, only};
use super::lifetime::Lifetime;

/// The facts of a certificate (RFC 5280) that decide about identity.
///
/// Nothing of it is verified: whoever made the bytes chose the facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate<'a> {
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
    fields.expect(Tag::INTEGER)?;
    fields.expect(Tag::SEQUENCE)?;
    fields.expect(Tag::SEQUENCE)?;
    let lifetime = lifetime(fields.expect(Tag::SEQUENCE)?)?;
    let subject = fields.expect(Tag::SEQUENCE)?;
    fields.expect(Tag::SEQUENCE)?;
    fields.take_if(Tag::bytes(1))?;
    fields.take_if(Tag::bytes(2))?;
    let mut certificate = Certificate {
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

fn lifetime(value: &[u8]) -> Result<Lifetime, BadDer> {
    let mut times = Values::of(value);
    let (from, until) = (time(&mut times)?, time(&mut times)?);
    times.end()?;
    Ok(Lifetime { from, until })
}

/// A time as RFC 5280 §4.1.2.5 allows it: with seconds, in UTC. What lies before 1970 is 1970.
fn time(times: &mut Values<'_>) -> Result<Duration, BadDer> {
    let (tag, text) = times.next()?;
    let (year, rest) = match tag {
        Tag::UTC_TIME => {
            let (year, rest) = number(text, 2)?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        Tag::GENERALIZED_TIME => number(text, 4)?,
        _ => return Err(BadDer),
    };
    let (month, rest) = number(rest, 2)?;
    let (day, rest) = number(rest, 2)?;
    let (hour, rest) = number(rest, 2)?;
    let (minute, rest) = number(rest, 2)?;
    let (second, rest) = number(rest, 2)?;
    let lawful = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60
        && rest == b"Z";
    if !lawful {
        return Err(BadDer);
    }
    let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    Ok(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

fn number(text: &[u8], digits: usize) -> Result<(i64, &[u8]), BadDer> {
    let (number, rest) = text.split_at_checked(digits).ok_or(BadDer)?;
    if !number.iter().all(u8::is_ascii_digit) {
        return Err(BadDer);
    }
    Ok((number.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')), rest))
}

/// Days since 1970-01-01 in the Gregorian calendar, counted in years that begin in March, so that
/// the leap day is the last of its year.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use std::vec::Vec;

    use super::*;

    fn value(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).unwrap();
        [&[tag, length], content].concat()
    }

    fn seconds(tag: u8, text: &str) -> Result<u64, BadDer> {
        time(&mut Values::of(&value(tag, text.as_bytes()))).map(|time| time.as_secs())
    }

    #[test]
    fn times_are_seconds_since_1970() {
        for (tag, text, expected) in [
            (0x17, "700101000000Z", 0),
            (0x17, "491231235959Z", 2_524_607_999),
            (0x17, "000229120000Z", 951_825_600),
            (0x18, "20500101000000Z", 2_524_608_000),
            (0x18, "21200101000000Z", 4_733_510_400),
            (0x18, "19600101000000Z", 0),
        ] {
            assert_eq!(seconds(tag, text), Ok(expected), "{text}");
        }
        for (tag, text) in [
            (0x17, "7001010000Z"),
            (0x17, "700101000000"),
            (0x17, "700101000000+0100"),
            (0x17, "701301000000Z"),
            (0x17, "700101240000Z"),
            (0x18, "700101000000Z"),
            (0x18, "2050010100000.Z"),
            (0x02, "700101000000Z"),
        ] {
            assert_eq!(seconds(tag, text), Err(BadDer), "{text}");
        }
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
