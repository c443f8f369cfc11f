//! Brings the path of a request into its one normal form, or refuses it.
//!
//! Rules are matched against the form that is forwarded, so that nobody upstream can read another
//! path than the one that was judged. The form is RFC 3986 §6.2.2 with a strict hand:
//!
//! | in the path | becomes |
//! |---|---|
//! | triplet of an unreserved character (`%61`) | the character |
//! | any other triplet (`%3f`) | the same in upper case (`%3F`) |
//! | a character no URI may hold (`{`, `é`) | its triplets |
//! | `//` | `/` |
//! | `.` and `..` segments, however spelled | removed (RFC 3986 §5.2.4) |
//! | everything that [`PathFault`] names | refused |

use alloc::borrow::Cow;

use super::form::Form;

/// Why a path is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PathFault {
    /// It does not begin with a slash.
    NotAbsolute,
    /// It holds a control character or a blank, raw or encoded.
    Control,
    /// It holds a backslash, raw or encoded: some servers take it for a slash.
    Backslash,
    /// It holds `%2F`: some servers take it for a slash.
    EncodedSlash,
    /// It holds `%25` before two hexadecimal digits: some servers decode twice.
    DoubleEncoding,
    /// It holds a `%` that two hexadecimal digits do not follow.
    BadTriplet,
    /// Its triplets are not UTF-8.
    NotUtf8,
    /// Its `..` segments lead above the root.
    AboveRoot,
    /// It holds a segment that is `.` or `..` once its parameters are cut off (`/..;x/`).
    DotParameters,
    /// It holds `#` or `?`, which end a path.
    Delimiter,
}

impl PathFault {
    /// The word used in logs and JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::NotAbsolute => "path_not_absolute",
            Self::Control => "path_control",
            Self::Backslash => "path_backslash",
            Self::EncodedSlash => "path_encoded_slash",
            Self::DoubleEncoding => "path_double_encoding",
            Self::BadTriplet => "path_bad_triplet",
            Self::NotUtf8 => "path_not_utf8",
            Self::AboveRoot => "path_above_root",
            Self::DotParameters => "path_dot_parameters",
            Self::Delimiter => "path_delimiter",
        }
    }
}

/// The normal form of a path without its query; the table above says what that is.
///
/// Normalising twice is normalising once. A path already in normal form comes back borrowed.
///
/// # Errors
/// The first fault found, where the path has no normal form.
pub fn normalise(path: &str) -> Result<Cow<'_, str>, PathFault> {
    if is_plain(path.as_bytes()) {
        return Ok(Cow::Borrowed(path));
    }
    let segments = path.strip_prefix('/').ok_or(PathFault::NotAbsolute)?;
    let mut form = Form::new(path);
    form.push('/');
    let mut segments = segments.split('/').peekable();
    while let Some(segment) = segments.next() {
        let start = form.len();
        write_segment(&mut form, segment)?;
        match form.from(start) {
            "" => {}
            "." => form.truncate(start),
            ".." => {
                let above = start.checked_sub(1).filter(|&end| end > 0);
                let end = above.ok_or(PathFault::AboveRoot)?;
                form.truncate(form.until(end).rfind('/').map_or(1, |slash| slash + 1));
            }
            written => {
                refuse_written(written)?;
                if segments.peek().is_some() {
                    form.push('/');
                }
            }
        }
    }
    Ok(form.finish())
}

/// Whether one look at each byte shows that the path is normal: no triplet, nothing to encode, no
/// empty segment, no segment that begins with a dot and goes on with neither letter nor digit.
fn is_plain(path: &[u8]) -> bool {
    if path.first() != Some(&b'/') {
        return false;
    }
    let mut after_slash = false;
    for (index, &byte) in path.iter().enumerate() {
        let class = CLASSES[usize::from(byte)];
        let is_sound = match class {
            Class::Letter => true,
            Class::Dot => {
                !after_slash || path.get(index + 1).is_some_and(u8::is_ascii_alphanumeric)
            }
            Class::Slash => !after_slash,
            Class::Other => false,
        };
        if !is_sound {
            return false;
        }
        after_slash = class == Class::Slash;
    }
    true
}

/// What a byte of a path may mean to [`is_plain`].
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Dot,
    Slash,
    Other,
}

static CLASSES: [Class; 256] = {
    let mut classes = [Class::Other; 256];
    let mut byte = 0u8;
    while byte < 128 {
        if is_path_character(byte) {
            classes[byte as usize] = Class::Letter;
        }
        byte += 1;
    }
    classes[b'.' as usize] = Class::Dot;
    classes[b'/' as usize] = Class::Slash;
    classes
};

/// RFC 3986 §2.3.
const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// `pchar` of RFC 3986 §3.3, without triplets.
const fn is_path_character(byte: u8) -> bool {
    let sub_delimiter =
        matches!(byte, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=');
    is_unreserved(byte) || sub_delimiter || matches!(byte, b':' | b'@')
}

fn write_segment(form: &mut Form<'_>, segment: &str) -> Result<(), PathFault> {
    let mut rest = segment;
    while let Some(character) = rest.chars().next() {
        if character == '%' {
            rest = write_triplets(form, rest)?;
            continue;
        }
        match character {
            '\\' => return Err(PathFault::Backslash),
            '#' | '?' => return Err(PathFault::Delimiter),
            ' ' => return Err(PathFault::Control),
            _ if character.is_control() => return Err(PathFault::Control),
            _ if u8::try_from(character).is_ok_and(is_path_character) => form.push(character),
            _ => character.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| form.triplet(byte)),
        }
        rest = &rest[character.len_utf8()..];
    }
    Ok(())
}

/// Writes the one character whose triplets `rest` begins with; gives back what follows them.
fn write_triplets<'a>(form: &mut Form<'_>, rest: &'a str) -> Result<&'a str, PathFault> {
    let lead = triplet_at(rest, 0).ok_or(PathFault::BadTriplet)?;
    let width = match lead {
        0..0x80 => 1,
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return Err(PathFault::NotUtf8),
    };
    let mut bytes = [lead; 4];
    for (index, byte) in bytes[..width].iter_mut().enumerate() {
        *byte = triplet_at(rest, index).ok_or(PathFault::NotUtf8)?;
    }
    let decoded = core::str::from_utf8(&bytes[..width]).map_err(|_| PathFault::NotUtf8)?;
    if decoded.chars().any(char::is_control) {
        return Err(PathFault::Control);
    }
    match lead {
        b'/' => return Err(PathFault::EncodedSlash),
        b'\\' => return Err(PathFault::Backslash),
        _ if is_unreserved(lead) => form.push(char::from(lead)),
        _ => decoded.bytes().for_each(|byte| form.triplet(byte)),
    }
    Ok(&rest[3 * width..])
}

/// The byte of the triplet number `index` of those `rest` begins with.
fn triplet_at(rest: &str, index: usize) -> Option<u8> {
    let triplet = rest.as_bytes().get(3 * index..3 * index + 3)?;
    let digits = triplet.strip_prefix(b"%").filter(|digits| digits.is_ascii())?;
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(digits[0])? << 4 | digit(digits[1])?)
}

/// The faults that show only once a segment is decoded.
fn refuse_written(segment: &str) -> Result<(), PathFault> {
    let dots = segment.strip_prefix("..").or_else(|| segment.strip_prefix('.'));
    if dots.is_some_and(|rest| rest.starts_with(';') || rest.starts_with("%3B")) {
        return Err(PathFault::DotParameters);
    }
    let hexadecimal = |window: &[u8]| window[3..].iter().all(u8::is_ascii_hexdigit);
    if segment.as_bytes().windows(5).any(|window| window.starts_with(b"%25") && hexadecimal(window))
    {
        return Err(PathFault::DoubleEncoding);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::format;
    use std::string::String;

    #[test]
    fn every_row_of_the_table_has_its_outcome() {
        use PathFault::*;
        let cases: &[(&str, Result<&str, PathFault>)] = &[
            ("/", Ok("/")),
            ("/admin/", Ok("/admin/")),
            ("/admin", Ok("/admin")),
            ("/admin/x", Ok("/admin/x")),
            ("/administrator", Ok("/administrator")),
            ("/%61dmin", Ok("/admin")),
            ("/%41dmin", Ok("/Admin")),
            ("/./admin", Ok("/admin")),
            ("/x/../admin", Ok("/admin")),
            ("/x/.%2E/admin", Ok("/admin")),
            ("/x/%2e%2e/admin", Ok("/admin")),
            ("/../admin", Err(AboveRoot)),
            ("/..", Err(AboveRoot)),
            ("/a/b/../../../../admin", Err(AboveRoot)),
            ("/admin/..", Ok("/")),
            ("/a/b/..", Ok("/a/")),
            ("/a/b/.", Ok("/a/b/")),
            ("/admin/../x", Ok("/x")),
            ("/x//admin", Ok("/x/admin")),
            ("//admin", Ok("/admin")),
            ("/admin//", Ok("/admin/")),
            ("/a//../b", Ok("/b")),
            ("/.well-known/openid-configuration", Ok("/.well-known/openid-configuration")),
            ("/...", Ok("/...")),
            ("/\\admin", Err(Backslash)),
            ("/%5cadmin", Err(Backslash)),
            ("/%2fadmin", Err(EncodedSlash)),
            ("/x%2f..%2fadmin", Err(EncodedSlash)),
            ("/admin%2F", Err(EncodedSlash)),
            ("/x/..%2fadmin", Err(EncodedSlash)),
            ("/%252e%252e/admin", Err(DoubleEncoding)),
            ("/public/..%252fadmin", Err(DoubleEncoding)),
            ("/%25%32%65", Err(DoubleEncoding)),
            ("/100%25", Ok("/100%25")),
            ("/..;/admin", Err(DotParameters)),
            ("/x/..;a=b/admin", Err(DotParameters)),
            ("/x/%2e;/admin", Err(DotParameters)),
            ("/x/..%3b/admin", Err(DotParameters)),
            ("/x;a=b/admin", Ok("/x;a=b/admin")),
            ("/admin%00", Err(Control)),
            ("/admin%00.png", Err(Control)),
            ("/admin%0d%0aX:1", Err(Control)),
            ("/admin%7f", Err(Control)),
            ("/admin%c2%85", Err(Control)),
            ("/a\u{1}b", Err(Control)),
            ("/a b", Err(Control)),
            ("/%zz", Err(BadTriplet)),
            ("/a%", Err(BadTriplet)),
            ("/a%4", Err(BadTriplet)),
            ("/%é", Err(BadTriplet)),
            ("/%+1", Err(BadTriplet)),
            ("/%c0%ae%c0%ae/admin", Err(NotUtf8)),
            ("/%ff", Err(NotUtf8)),
            ("/%c3/%a9", Err(NotUtf8)),
            ("/%ed%a0%80", Err(NotUtf8)),
            ("/%c3%a9", Ok("/%C3%A9")),
            ("/é", Ok("/%C3%A9")),
            ("/{a}", Ok("/%7Ba%7D")),
            ("/admin%23x", Ok("/admin%23x")),
            ("/admin%3fx", Ok("/admin%3Fx")),
            ("/admin%20", Ok("/admin%20")),
            ("/admin#x", Err(Delimiter)),
            ("/admin?x=1", Err(Delimiter)),
            ("admin", Err(NotAbsolute)),
            ("*", Err(NotAbsolute)),
            ("", Err(NotAbsolute)),
        ];
        for (path, wanted) in cases {
            let form = normalise(path);
            assert_eq!(form.as_deref().map_err(|fault| *fault), *wanted, "{path:?}");
        }
    }

    #[test]
    fn a_path_already_normal_is_borrowed() {
        for path in ["/", "/token", "/a/b.c/", "/admin%20", "/.well-known/x", "/caf%C3%A9"] {
            assert!(matches!(normalise(path), Ok(Cow::Borrowed(form)) if form == path), "{path}");
        }
    }

    fn paths() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            6 => "/",
            3 => r"\.",
            2 => "[a-z]",
            1 => "[;:@é{ ]",
            1 => "%(2[5eEfF3]|3[bB]|6[1-5]|3[0-9]|c3%a9|20)",
            1 => "%25(%3[0-9]|[0-9a-f]|%6[1-6])",
        ];
        proptest::collection::vec(piece, 0..12).prop_map(|pieces| format!("/{}", pieces.concat()))
    }

    proptest! {
        #[test]
        fn the_normal_form_is_its_own_normal_form(path in paths()) {
            if let Ok(form) = normalise(&path) {
                prop_assert_eq!(normalise(&form), Ok(Cow::Borrowed(&*form)), "from {}", path);
            }
        }

        #[test]
        fn the_normal_form_holds_nothing_ambiguous(path in paths()) {
            if let Ok(form) = normalise(&path) {
                prop_assert!(form.starts_with('/') && form.is_ascii());
                prop_assert!(!form.contains("//") && !form.to_lowercase().contains("%2f"));
                prop_assert!(form.split('/').all(|segment| segment != "." && segment != ".."));
            }
        }

        #[test]
        fn no_text_makes_it_panic(path in ".*") {
            let _ = normalise(&path);
        }
    }
}
