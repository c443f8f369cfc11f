//! Names and list values of header fields: how they compare, what they list.

/// Whether two field names are the same to a backend that folds them: without regard to case, and
/// with `_` and `.` read as `-`, as CGI and its heirs do.
#[must_use]
pub fn is_same_field(one: &str, other: &str) -> bool {
    one.len() == other.len() && one.bytes().zip(other.bytes()).all(|(a, b)| fold(a) == fold(b))
}

/// Whether a field name begins so, in the sense of [`is_same_field`].
pub(super) fn begins_like(name: &str, beginning: &str) -> bool {
    name.len() >= beginning.len()
        && name.bytes().zip(beginning.bytes()).all(|(a, b)| fold(a) == fold(b))
}

const fn fold(byte: u8) -> u8 {
    match byte {
        b'_' | b'.' => b'-',
        _ => byte.to_ascii_lowercase(),
    }
}

/// The elements of a comma-separated list (RFC 9110 §5.6.1), blanks around them cut off, empty ones
/// included.
pub(super) fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&byte| byte == b',').map(without_blanks)
}

/// The value without spaces and tabs at its edges.
pub(super) fn without_blanks(value: &[u8]) -> &[u8] {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = value.iter().position(|byte| !is_blank(byte)).unwrap_or(value.len());
    let end = value.iter().rposition(|byte| !is_blank(byte)).map_or(start, |last| last + 1);
    &value[start..end]
}

/// The fields that a `Connection` value names (RFC 9110 §7.6.1): they end at this hop. Options that
/// are no field (`close`, `keep-alive`, `upgrade`) are among them. As written; compare without
/// regard to case.
pub fn connection_names(value: &[u8]) -> impl Iterator<Item = &str> {
    elements(value)
        .filter_map(|name| core::str::from_utf8(name).ok())
        .filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn names_compare_as_the_most_lenient_backend_folds_them() {
        assert!(is_same_field("X_Authmesh.Identity", "x-authmesh-identity"));
        assert!(!is_same_field("x-authmesh-identity2", "x-authmesh-identity"));
        assert!(begins_like("x_authmesh_subject", "x-authmesh-"));
        assert!(!begins_like("x-authmes", "x-authmesh-"));
    }

    #[test]
    fn a_connection_value_names_each_field_once_blanks_are_cut() {
        let names: Vec<&str> = connection_names(b" close ,, X-Hop\t,\xff,te").collect();
        assert_eq!(names, ["close", "X-Hop", "te"]);
        assert_eq!(connection_names(b" ").count(), 0);
    }
}
