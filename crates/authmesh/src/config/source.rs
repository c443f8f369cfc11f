//! The text of one file with its secrets masked: it gives lines and columns, and nothing to leak.

use std::ops::Range;

use super::mask::{self, COVER, COVERED};

/// A file as it may be shown.
#[derive(Clone)]
pub(super) struct Source {
    name: String,
    /// As long as the text that was read, byte for byte.
    masked: String,
    /// Where each line begins.
    lines: Vec<usize>,
}

impl Source {
    /// `secrets` are stretches of `text` that are known to be secret.
    pub(super) fn new(name: String, text: &str, secrets: &[Range<usize>]) -> Self {
        let line_ends = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n');
        let lines = std::iter::once(0).chain(line_ends.map(|(end, _)| end + 1)).collect();
        Self { name, masked: mask::masked(text, secrets), lines }
    }

    /// A file of which there is nothing to show.
    pub(super) const fn unread(name: String) -> Self {
        Self { name, masked: String::new(), lines: Vec::new() }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Covers further stretches.
    pub(super) fn cover(&mut self, secrets: &[Range<usize>]) {
        self.masked = mask::masked(&self.masked, secrets);
    }

    /// Line and column of a byte, from 1, the column in characters.
    pub(super) fn position(&self, offset: u32) -> (usize, usize) {
        let before = self.before(offset);
        let line = self.lines.partition_point(|&start| start <= before.len()).max(1);
        (line, width(&before[self.line_start(before.len())..]) + 1)
    }

    /// The line of a byte, as it may be shown: at most `widest` characters before the byte, and as
    /// many from it on. What is left out is three dots; the number is how many stand before the byte.
    pub(super) fn line(&self, offset: u32, widest: usize) -> (String, usize) {
        let at = self.before(offset).len();
        let start = self.line_start(at);
        let shown = |char: &char| *char != COVERED;
        let mut before: Vec<char> =
            self.masked[start..at].chars().rev().filter(shown).take(widest + 1).collect();
        if before.len() > widest {
            before[widest] = '…';
        }
        let from = self.masked[at..].split('\n').next().unwrap_or_default();
        let mut behind: Vec<char> =
            from.trim_end_matches('\r').chars().filter(shown).take(widest + 1).collect();
        if behind.len() > widest {
            behind[widest] = '…';
        }
        let line = before.iter().rev().chain(&behind);
        let line = line.map(|&char| if char == COVER { '•' } else { printable(char) });
        (line.collect(), before.len())
    }

    /// How many characters lie between two bytes, up to the end of the first one's line.
    pub(super) fn width(&self, start: u32, end: u32) -> usize {
        let from = self.before(start).len();
        let to = self.before(end).len().max(from);
        width(self.masked[from..to].split('\n').next().unwrap_or_default())
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.masked.is_empty()
    }

    fn line_start(&self, offset: usize) -> usize {
        let line = self.lines.partition_point(|&start| start <= offset);
        line.checked_sub(1).and_then(|line| self.lines.get(line)).copied().unwrap_or(0)
    }

    fn before(&self, offset: u32) -> &str {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX).min(self.masked.len());
        // A place in the middle of a character is taken for its beginning.
        let start = (0..=offset).rev().find(|&at| self.masked.is_char_boundary(at)).unwrap_or(0);
        &self.masked[..start]
    }
}

fn width(text: &str) -> usize {
    text.chars().filter(|&char| char != COVERED).count()
}

/// A character that moves the cursor or colours the terminal is not printed.
pub(super) fn printable(char: char) -> char {
    if char == '\t' {
        ' '
    } else if char.is_control() {
        '\u{fffd}'
    } else {
        char
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_secrets_keep_their_width() {
        let text = "a = 'ä'\r\ntoken = 'ünü' # x\n";
        let source = Source::new("t".into(), text, &[]);
        let x = u32::try_from(text.find('x').unwrap()).unwrap();
        assert_eq!(source.position(x), (2, 17));
        assert_eq!(source.line(x, 80), ("token = ••••• # x".into(), 16));
        assert_eq!(source.line(x, 4), ("…• # x".into(), 5));
        assert_eq!(source.position(u32::MAX), (3, 1));
        assert_eq!(source.line(0, 80), ("a = 'ä'".into(), 0));
        assert_eq!(source.line(0, 3), ("a =…".into(), 0));
    }
}
