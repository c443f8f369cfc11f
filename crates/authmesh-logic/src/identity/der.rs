//! Reads DER, the encoding of certificates: one value after the other, never beyond its end.

/// The bytes are no DER, or not what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadDer;

/// What a value is, with its class and whether it holds others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag(pub(super) u8);

impl Tag {
    pub(super) const BOOLEAN: Self = Self(0x01);
    pub(super) const INTEGER: Self = Self(0x02);
    pub(super) const BIT_STRING: Self = Self(0x03);
    pub(super) const OCTET_STRING: Self = Self(0x04);
    pub(super) const OBJECT_IDENTIFIER: Self = Self(0x06);
    pub(super) const UTC_TIME: Self = Self(0x17);
    pub(super) const GENERALIZED_TIME: Self = Self(0x18);
    pub(super) const SEQUENCE: Self = Self(0x30);

    /// `[number]`, holding other values.
    pub(super) const fn held(number: u8) -> Self {
        Self(0xA0 | number)
    }

    /// `[number]`, holding bytes.
    pub(super) const fn bytes(number: u8) -> Self {
        Self(0x80 | number)
    }
}

/// Values that follow one another.
#[derive(Clone, Copy)]
pub(super) struct Values<'a>(&'a [u8]);

impl<'a> Values<'a> {
    pub(super) const fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next value: its tag and what it holds.
    pub(super) fn next(&mut self) -> Result<(Tag, &'a [u8]), BadDer> {
        let (&tag, rest) = self.0.split_first().ok_or(BadDer)?;
        // Numbers above 30 take further bytes; no certificate has them.
        if tag & 0x1F == 0x1F {
            return Err(BadDer);
        }
        let (length, rest) = length(rest)?;
        let (content, rest) = rest.split_at_checked(length).ok_or(BadDer)?;
        self.0 = rest;
        Ok((Tag(tag), content))
    }

    /// What the next value holds, which must be a `tag`.
    pub(super) fn expect(&mut self, tag: Tag) -> Result<&'a [u8], BadDer> {
        let (found, content) = self.next()?;
        if found == tag { Ok(content) } else { Err(BadDer) }
    }

    /// The next value whole, as signatures cover it, and what it holds; it must be a `tag`.
    pub(super) fn expect_whole(&mut self, tag: Tag) -> Result<(&'a [u8], &'a [u8]), BadDer> {
        let before = self.0;
        let content = self.expect(tag)?;
        Ok((&before[..before.len() - self.0.len()], content))
    }

    /// The tag of the next value, if there is one.
    pub(super) fn peek(&self) -> Option<Tag> {
        self.0.first().map(|tag| Tag(*tag))
    }

    /// What the next value holds if it is a `tag`; another one stays.
    pub(super) fn take_if(&mut self, tag: Tag) -> Result<Option<&'a [u8]>, BadDer> {
        if self.peek() == Some(tag) { self.expect(tag).map(Some) } else { Ok(None) }
    }

    /// Nothing must be left.
    pub(super) const fn end(&self) -> Result<(), BadDer> {
        if self.is_empty() { Ok(()) } else { Err(BadDer) }
    }
}

/// The one value that `bytes` are; what it holds.
pub(super) fn only(bytes: &[u8], tag: Tag) -> Result<&[u8], BadDer> {
    let mut values = Values::of(bytes);
    let content = values.expect(tag)?;
    values.end()?;
    Ok(content)
}

/// The length that `bytes` begin with, in its one lawful form, and what follows it.
fn length(bytes: &[u8]) -> Result<(usize, &[u8]), BadDer> {
    let (&first, rest) = bytes.split_first().ok_or(BadDer)?;
    if first < 0x80 {
        return Ok((usize::from(first), rest));
    }
    // 0x80 is "until a mark", which DER does not have; four bytes are more than any certificate.
    let count = usize::from(first & 0x7F);
    if !(1..=4).contains(&count) {
        return Err(BadDer);
    }
    let (digits, rest) = rest.split_at_checked(count).ok_or(BadDer)?;
    let length = digits.iter().fold(0_u64, |sum, digit| sum << 8 | u64::from(*digit));
    if digits[0] == 0 || length < 0x80 {
        return Err(BadDer);
    }
    Ok((usize::try_from(length).map_err(|_| BadDer)?, rest))
}

#[cfg(test)]
mod tests {
    use std::vec;

    use super::*;

    #[test]
    fn values_end_where_their_length_says() {
        let mut values = Values::of(&[0x02, 1, 7, 0x30, 0]);
        assert_eq!(values.take_if(Tag::SEQUENCE), Ok(None));
        assert_eq!(values.expect(Tag::INTEGER), Ok(&[7][..]));
        assert_eq!(values.next(), Ok((Tag::SEQUENCE, &[][..])));
        assert_eq!(values.end(), Ok(()));
        assert_eq!(values.next(), Err(BadDer));
    }

    #[test]
    fn a_length_has_one_form() {
        let mut long = vec![0x04, 0x81, 0x80];
        long.resize(3 + 0x80, 0);
        assert_eq!(only(&long, Tag::OCTET_STRING).map(<[u8]>::len), Ok(0x80));
        for bad in [
            &[0x04, 0x80, 0, 0][..],
            &[0x04, 0x81, 1, 0],
            &[0x04, 0x82, 0, 1, 0],
            &[0x04, 0x85, 1, 1, 1, 1, 1],
            &[0x04, 2, 0],
            &[0x04],
            &[0x1F, 1, 0],
            &[0x04, 0, 0],
        ] {
            assert_eq!(only(bad, Tag::OCTET_STRING), Err(BadDer), "{bad:x?}");
        }
    }
}
