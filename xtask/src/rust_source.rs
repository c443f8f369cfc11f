//! Reads a Rust file as far as the rules need it: code without comments and text, shipped code
//! without tests. Not a parser: it knows where comments, strings and braces end, no more.

/// One Rust file, seen four ways. All views have the length and the lines of the text.
#[derive(Clone, Debug)]
pub(crate) struct RustFile {
    /// The path from the root of the workspace, with `/`.
    pub(crate) path: String,
    /// As written.
    pub(crate) text: String,
    /// Comments and the inside of strings blanked.
    pub(crate) code: String,
    /// As `code`, and items under `#[cfg(test)]` blanked; empty if the whole file is a test.
    pub(crate) shipped: String,
    /// Everything but comments blanked.
    pub(crate) comments: String,
    /// Whether the whole file is a test: under `tests/`, named so, or declared under `cfg(test)`.
    pub(crate) is_test: bool,
}

impl RustFile {
    /// Reads `text`.
    pub(crate) fn read(path: &str, text: &str) -> Self {
        let (code, comments) = split(text);
        let is_test = path.split('/').any(|part| part == "tests" || part == "tests.rs");
        let mut shipped = code.clone();
        for (start, end) in test_items(&code) {
            blank(&mut shipped, start, end);
        }
        let mut file = Self {
            path: path.to_owned(),
            text: text.to_owned(),
            code,
            shipped,
            comments,
            is_test: false,
        };
        if is_test {
            file.become_test();
        }
        file
    }

    /// Says that the whole file is a test.
    pub(crate) fn become_test(&mut self) {
        self.is_test = true;
        self.shipped.clear();
    }

    /// The names of the modules this file declares under `#[cfg(test)]`, in files of their own.
    pub(crate) fn test_modules(&self) -> Vec<String> {
        let declared = |(start, end): (usize, usize)| {
            let item = self.code[start..end].strip_prefix(TEST_ATTRIBUTE)?;
            let name = item.trim().strip_prefix("mod ")?.strip_suffix(';')?;
            Some(name.trim().to_owned())
        };
        test_items(&self.code).into_iter().filter_map(declared).collect()
    }

    /// The lines of test code in `code`, with their numbers.
    pub(crate) fn test_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut start = 0;
        let shipped = &self.shipped;
        numbered(&self.code).filter(move |(_, line)| {
            let here = start;
            start += line.len() + 1;
            shipped.get(here..here + line.len()) != Some(line)
        })
    }
}

/// The lines of a view, counted from 1.
pub(crate) fn numbered(view: &str) -> impl Iterator<Item = (usize, &str)> {
    view.split('\n').enumerate().map(|(at, line)| (at + 1, line))
}

/// The number of the line that holds this byte.
pub(crate) fn line_of(view: &str, byte: usize) -> usize {
    view.as_bytes()[..byte].iter().filter(|&&b| b == b'\n').count() + 1
}

/// Whether this byte may stand in a name.
pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Where `word` stands in `view`, not as a part of a longer name.
pub(crate) fn words<'a>(view: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let bytes = view.as_bytes();
    view.match_indices(word).map(|(at, _)| at).filter(move |&at| {
        let before = at.checked_sub(1).is_some_and(|i| is_word(bytes[i]));
        let after = bytes.get(at + word.len()).is_some_and(|&b| is_word(b));
        !(before || after)
    })
}

const TEST_ATTRIBUTE: &str = "#[cfg(test)]";

/// The spans of items under `#[cfg(test)]`, attribute included.
fn test_items(code: &str) -> Vec<(usize, usize)> {
    let mut spans = Vec::new();
    let mut from = 0;
    while let Some(found) = code[from..].find(TEST_ATTRIBUTE) {
        let start = from + found;
        let end = item_end(code, start + TEST_ATTRIBUTE.len());
        spans.push((start, end));
        from = end;
    }
    spans
}

/// Where the item that begins at `start` ends: behind its `;` or its closing brace.
pub(crate) fn item_end(code: &str, start: usize) -> usize {
    let mut depth = 0_u32;
    for (at, byte) in code.bytes().enumerate().skip(start) {
        match byte {
            b'{' | b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            b'}' if depth <= 1 => return at + 1,
            b'}' => depth -= 1,
            b';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}

fn blank(view: &mut String, start: usize, end: usize) {
    let blanked: String =
        view[start..end].bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }).collect();
    view.replace_range(start..end, &blanked);
}

/// The text twice: code without comments and strings, and comments alone.
fn split(text: &str) -> (String, String) {
    let bytes = text.as_bytes();
    let (mut code, mut comments) = (text.to_owned(), text.to_owned());
    let mut at = 0;
    let mut code_from = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let end = if rest.starts_with(b"//") {
            text[at..].find('\n').map_or(text.len(), |n| at + n)
        } else if rest.starts_with(b"/*") {
            block_comment_end(bytes, at)
        } else if let Some(end) = literal_end(bytes, at) {
            blank(&mut code, (at + 1).min(end), end.saturating_sub(1).max(at + 1));
            at = end;
            continue;
        } else {
            at += 1;
            continue;
        };
        blank(&mut code, at, end);
        blank(&mut comments, code_from, at);
        at = end;
        code_from = end;
    }
    blank(&mut comments, code_from, text.len());
    (code, comments)
}

fn block_comment_end(bytes: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0_u32);
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    bytes.len()
}

/// Where the string or character that begins at `at` ends, if one begins there.
fn literal_end(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes[at] {
        b'"' => Some(quoted_end(bytes, at, b'"')),
        b'r' if at == 0 || !is_word(bytes[at - 1]) || matches!(bytes[at - 1], b'b' | b'c') => {
            let hashes = bytes[at + 1..].iter().take_while(|&&b| b == b'#').count();
            let open = at + 1 + hashes;
            if bytes.get(open) != Some(&b'"') {
                return None;
            }
            let mut close = vec![b'"'];
            close.resize(hashes + 1, b'#');
            let found = bytes[open + 1..].windows(close.len()).position(|w| w == close);
            Some(found.map_or(bytes.len(), |n| open + 1 + n + close.len()))
        }
        b'\'' => match bytes.get(at + 1)? {
            b'\\' => Some(quoted_end(bytes, at, b'\'')),
            // A lifetime has no closing quote behind its first character.
            first => {
                let width = match first {
                    0x00..=0x7f => 1,
                    0x80..=0xdf => 2,
                    0xe0..=0xef => 3,
                    0xf0..=0xff => 4,
                };
                (bytes.get(at + 1 + width) == Some(&b'\'')).then_some(at + width + 2)
            }
        },
        _ => None,
    }
}

fn quoted_end(bytes: &[u8], start: usize, quote: u8) -> usize {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b if b == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = r##"//! A file. sleep
use std::fmt; // why
/* one /* two */ sleep */
fn shipped<'a>(x: &'a str) -> char { let _ = "sleep // no"; let _ = r#"raw "sleep" "#; '"' }
#[cfg(test)]
mod tests {
    fn waits() { sleep(1); let _ = '\''; }
}
#[cfg(test)]
mod table;
fn after() {}
"##;

    #[test]
    fn every_view_keeps_the_length_and_the_lines() {
        let file = RustFile::read("src/a.rs", SAMPLE);
        for view in [&file.code, &file.shipped, &file.comments] {
            assert_eq!(view.len(), SAMPLE.len());
            assert_eq!(view.lines().count(), SAMPLE.lines().count());
        }
    }

    #[test]
    fn code_has_neither_comments_nor_the_inside_of_strings() {
        let file = RustFile::read("src/a.rs", SAMPLE);
        let lines: Vec<usize> = words(&file.code, "sleep").map(|b| line_of(SAMPLE, b)).collect();
        assert_eq!(lines, [7]);
        let lines: Vec<usize> =
            words(&file.comments, "sleep").map(|b| line_of(SAMPLE, b)).collect();
        assert_eq!(lines, [1, 3]);
    }

    #[test]
    fn shipped_code_has_no_tests_and_goes_on_behind_them() {
        let file = RustFile::read("src/a.rs", SAMPLE);
        assert!(!file.shipped.contains("waits") && !file.shipped.contains("table"));
        assert!(file.shipped.contains("fn shipped") && file.shipped.contains("fn after"));
        assert_eq!(file.test_modules(), ["table"]);
        let tests: Vec<usize> = file.test_lines().map(|(line, _)| line).collect();
        assert_eq!(tests, [5, 6, 7, 8, 9, 10]);
    }

    #[test]
    fn a_file_under_tests_is_all_test() {
        let file = RustFile::read("crates/x/tests/a.rs", "fn a() {}\n");
        assert!(file.is_test && file.shipped.is_empty());
        assert_eq!(file.test_lines().next(), Some((1, "fn a() {}")));
    }
}
