//! Finds the token in a request: the one `Authorization: Bearer` field, and nowhere else.

use super::TokenFault;
use crate::request_head::Fields;

/// The scheme of tokens (RFC 6750 §2.1). Case does not matter (RFC 9110 §11.1).
const SCHEME: &[u8] = b"bearer";

/// The token of a request. One in the query, a cookie or a form is not looked for: those are logged
/// and sent on by accident (RFC 9700 §4.3.2).
///
/// # Errors
///
/// [`TokenFault::MissingToken`], also where another scheme is used;
/// [`TokenFault::DuplicateAuthorization`]; [`TokenFault::Malformed`] for a field that begins like the
/// scheme and is none.
pub fn bearer(fields: &dyn Fields) -> Result<&str, TokenFault> {
    match fields.count("authorization") {
        0 => return Err(TokenFault::MissingToken),
        1 => {}
        _ => return Err(TokenFault::DuplicateAuthorization),
    }
    let value = fields.first("authorization").unwrap_or_default();
    let Some((scheme, rest)) = value.split_at_checked(SCHEME.len()) else {
        return Err(TokenFault::MissingToken);
    };
    if !scheme.eq_ignore_ascii_case(SCHEME) {
        return Err(TokenFault::MissingToken);
    }
    let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
    let token = core::str::from_utf8(&rest[spaces..]).map_err(|_| TokenFault::Malformed)?;
    if spaces == 0 || token.is_empty() {
        return Err(TokenFault::Malformed);
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request_head::FieldList;

    #[test]
    fn a_token_stands_in_one_field_after_its_scheme() {
        let of = |value: &str| bearer(&FieldList(&[("authorization", value)])).map(Into::into);
        let found = |token: &str| Ok(std::string::String::from(token));
        for (value, wanted) in [
            ("Bearer a.b.c", found("a.b.c")),
            ("bearer a.b.c", found("a.b.c")),
            ("BEARER   a.b.c", found("a.b.c")),
            ("Bearera.b.c", Err(TokenFault::Malformed)),
            ("Bearer", Err(TokenFault::Malformed)),
            ("Bearer ", Err(TokenFault::Malformed)),
            ("Bearer\ta.b.c", Err(TokenFault::Malformed)),
            ("Basic YTpi", Err(TokenFault::MissingToken)),
            ("DPoP a.b.c", Err(TokenFault::MissingToken)),
            ("a.b.c", Err(TokenFault::MissingToken)),
            ("", Err(TokenFault::MissingToken)),
        ] {
            assert_eq!(of(value), wanted, "{value}");
        }
        assert_eq!(bearer(&FieldList(&[])), Err(TokenFault::MissingToken));
        let twice = FieldList(&[("Authorization", "Bearer a"), ("authorization", "Bearer a")]);
        assert_eq!(bearer(&twice), Err(TokenFault::DuplicateAuthorization));
        let cookie = FieldList(&[("cookie", "access_token=a.b.c")]);
        assert_eq!(bearer(&cookie), Err(TokenFault::MissingToken));
    }
}
