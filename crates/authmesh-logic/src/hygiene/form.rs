//! A text in the making that stays borrowed while it is a prefix of its source.

use alloc::borrow::Cow;
use alloc::string::String;

/// What has been written: a prefix of the source for as long as that is true, then a text of its
/// own.
pub(super) struct Form<'a> {
    source: &'a str,
    kept: usize,
    own: Option<String>,
}

impl<'a> Form<'a> {
    pub(super) const fn new(source: &'a str) -> Self {
        Self { source, kept: 0, own: None }
    }

    pub(super) fn push(&mut self, character: char) {
        if let Some(own) = &mut self.own {
            own.push(character);
        } else if self.source[self.kept..].starts_with(character) {
            self.kept += character.len_utf8();
        } else {
            let mut own = String::with_capacity(self.source.len() + 2);
            own.push_str(&self.source[..self.kept]);
            own.push(character);
            self.own = Some(own);
        }
    }

    pub(super) fn triplet(&mut self, byte: u8) {
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        self.push('%');
        self.push(char::from(DIGITS[usize::from(byte >> 4)]));
        self.push(char::from(DIGITS[usize::from(byte & 15)]));
    }

    fn written(&self) -> &str {
        self.own.as_deref().unwrap_or(&self.source[..self.kept])
    }

    pub(super) fn len(&self) -> usize {
        self.written().len()
    }

    pub(super) fn from(&self, start: usize) -> &str {
        &self.written()[start..]
    }

    pub(super) fn until(&self, end: usize) -> &str {
        &self.written()[..end]
    }

    pub(super) fn truncate(&mut self, length: usize) {
        match &mut self.own {
            Some(own) => own.truncate(length),
            None => self.kept = length,
        }
    }

    pub(super) fn finish(self) -> Cow<'a, str> {
        self.own.map_or(Cow::Borrowed(&self.source[..self.kept]), Cow::Owned)
    }
}
