//! Covers what may be a secret in a text before any of it is kept for a report.
//!
//! It goes by the names of keys and works on text that is not TOML, too: it covers rather too much.

use std::ops::Range;

use authmesh_logic::config::{PRIVATE_KEY, REFERENCE_KEYS, WORKLOAD, names_secret};

/// Stands for a character that is covered. No text that is TOML holds it.
pub(super) const COVER: char = '\u{1}';

/// Stands for each further byte of such a character, so that places stay where they are.
pub(super) const COVERED: char = '\u{2}';

/// `text` with `secrets` and everything that looks like one covered; as long as `text`.
pub(super) fn masked(text: &str, secrets: &[Range<usize>]) -> String {
    let mut covered = vec![false; text.len()];
    for range in named(text).into_iter().chain(private_keys(text)).chain(secrets.iter().cloned()) {
        let end = range.end.min(text.len());
        covered[range.start.min(end)..end].fill(true);
    }
    let mut masked = String::with_capacity(text.len());
    for (at, char) in text.char_indices() {
        if covered[at] && char != '\n' && char != '\r' && char != COVERED {
            masked.push(COVER);
            masked.extend(std::iter::repeat_n(COVERED, char.len_utf8() - 1));
        } else {
            masked.push(char);
        }
    }
    masked
}

/// The values of keys that name a secret.
fn named(text: &str) -> Vec<Range<usize>> {
    let mut covered = Vec::new();
    let mut at = 0;
    while let Some(found) = text[at..].find('=') {
        let equals = at + found;
        at = equals + 1;
        if leads_to_secret(&text[..equals]) {
            at = cover_value(text, at, &mut covered);
        }
    }
    covered
}

/// Whether the key that ends `before` has a part that names a secret.
fn leads_to_secret(before: &str) -> bool {
    if names_workload(before) {
        return false;
    }
    let key = key_at_end(before);
    let mut parts = key.split('.').map(|part| part.trim().trim_matches(['"', '\'']));
    let last = parts.clone().next_back().unwrap_or_default();
    !REFERENCE_KEYS.contains(&last) && parts.any(names_secret)
}

/// Whether the key that ends `before` is a SPIFFE ID in quotes.
fn names_workload(before: &str) -> bool {
    let before = before.trim_end_matches([' ', '\t']);
    let Some(inside) = before.strip_suffix(['"', '\'']) else { return false };
    let start = inside.rfind(['"', '\'']).map_or(0, |quote| quote + 1);
    inside[start..].starts_with(WORKLOAD)
}

/// The dotted key at the end of `before`.
fn key_at_end(before: &str) -> &str {
    let before = before.trim_end_matches([' ', '\t']);
    let in_key = |char: char| char.is_alphanumeric() || " \t._-\"'".contains(char);
    let start = before.trim_end_matches(in_key).len();
    before[start..].trim_start()
}

/// Covers what is secret of the value that begins at or after `at`, and says where it ends.
fn cover_value(text: &str, at: usize, covered: &mut Vec<Range<usize>>) -> usize {
    let start = at + text[at..].len() - text[at..].trim_start_matches([' ', '\t']).len();
    let rest = &text[start..];
    let long = ["\"\"\"", "'''"].into_iter().find(|quotes| rest.starts_with(quotes));
    let length = match (long, rest.chars().next()) {
        (Some(quotes), _) => rest[3..].find(quotes).map_or(rest.len(), |end| end + 6),
        (None, Some(quote @ ('"' | '\''))) => quoted(rest, quote),
        (None, Some('{')) => return cover_table(text, start, covered),
        // An array: up to the end of the line that closes it, whatever stands in its texts.
        (None, Some('[')) => {
            let close = rest.find(']').unwrap_or(rest.len());
            rest[close..].find('\n').map_or(rest.len(), |end| close + end)
        }
        _ => rest.find('\n').unwrap_or(rest.len()),
    };
    covered.push(start..start + length);
    start + length
}

/// How long the quoted text at the beginning of `text` is; up to the end of its line if it does not
/// end before.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, char) in text.char_indices().skip(1) {
        if char == '\n' {
            return at;
        }
        if !escaped && char == quote {
            return at + 1;
        }
        escaped = !escaped && quote == '"' && char == '\\';
    }
    text.len()
}

/// Covers every text that is no reference in an inline table that should be one, and says where the
/// table ends. One that does not end is covered whole.
fn cover_table(text: &str, start: usize, covered: &mut Vec<Range<usize>>) -> usize {
    let mut at = start;
    loop {
        let Some(found) = text[at..].find(['"', '\'', '}']) else {
            covered.push(start..text.len());
            return text.len();
        };
        let open = at + found;
        let Some(quote @ ('"' | '\'')) = text[open..].chars().next() else { return open + 1 };
        let length = quoted(&text[open..], quote);
        let before = text[start..open].trim_end().trim_end_matches('=');
        if !REFERENCE_KEYS.contains(&key_at_end(before)) {
            covered.push(open..open + length);
        }
        at = open + length;
    }
}

/// Private keys, from their first line to their last, or to the end.
fn private_keys(text: &str) -> Vec<Range<usize>> {
    let mut covered = Vec::new();
    let mut at = 0;
    while let Some(found) = text[at..].find(PRIVATE_KEY) {
        let start = at + found + PRIVATE_KEY.len();
        at = text[start..].find("-----END").map_or(text.len(), |end| start + end);
        covered.push(start..at);
    }
    covered
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> String {
        masked(text, &[]).replace(COVER, "•").replace(COVERED, "")
    }

    #[test]
    fn what_a_secret_key_holds_is_covered() {
        for text in [
            "token = \"hunter2\"",
            "token = 'hunter2' # x",
            "token=\"hunter2",
            "token = hunter2",
            "token = \"\"\"\nhunter2\n\"\"\"",
            "token = '''a\nhunter2",
            "token = [\"hunter2\",\n \"hunter2\"]",
            "token = { value = \"hunter2\" }",
            "token = { \"hunter2\" }",
            "token = { file = \"/a\", value = \"hunter2\" }",
            "token = { value = \"}hunter2\" }",
            "admin.token.value = \"hunter2\"",
            "a = { client_secret = \"hunter2\" }",
            "\"client-secret\" = \"hunter2\"",
            "token = \"a\\\"hunter2\"",
            "x = \"-----BEGIN PRIVATE KEY-----\nhunter2\n-----END\"",
        ] {
            assert!(!shown(text).contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn a_reference_and_what_stands_beside_a_secret_are_shown() {
        for text in [
            "token = { file = \"/run/secrets/admin\" }",
            "token = { env = 'TOKEN' }",
            "admin.token.file = \"/run/secrets/admin\"",
            "key = \"/tls/key.pem\"",
            "identities = { \"spiffe://corp.example/token\" = \"login\" }",
        ] {
            assert_eq!(shown(text), text);
        }
        assert_eq!(shown("token = 'x' # why"), "token = ••• # why");
    }

    proptest! {
        #[test]
        fn places_stay_where_they_are(text in "(?s).{0,40}(token|x) ?= ?[\\{\\[\"']{0,3}(?s).{0,40}") {
            let masked = masked(&text, &[]);
            prop_assert_eq!(masked.len(), text.len());
            prop_assert_eq!(masked.matches('\n').count(), text.matches('\n').count());
        }
    }
}
