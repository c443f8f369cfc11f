//! Judges the header of a token: by which algorithm and key it wants to be verified.

use super::{Algorithm, Json, TokenFault, TokenPolicy};

/// What the header of a token says that was let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenHeader<'a> {
    /// The algorithm, one of the provider's.
    pub algorithm: Algorithm,
    /// The name of the key, if it names one.
    pub key_id: Option<&'a str>,
}

/// The kind of a token that names none.
const UNTYPED: &str = "JWT";

/// What `typ` may begin with and mean the same (RFC 7515 §4.1.9).
const MEDIA_TYPE: &str = "application/";

/// Judges a header (RFC 7515 §4.1, RFC 8725 §3.1, §3.11).
///
/// # Errors
///
/// The first fault, in the order of the table in [`jwt`](crate::jwt).
pub fn judge_header<'a>(
    header: &'a Json,
    policy: &TokenPolicy,
) -> Result<TokenHeader<'a>, TokenFault> {
    let malformed = TokenFault::MalformedHeader;
    if !header.is_object() {
        return Err(malformed);
    }
    let optional = |name| match header.member(name) {
        None => Ok(None),
        Some(member) => member.text().map(Some).ok_or(malformed),
    };
    let algorithm = optional("alg")?.ok_or(malformed)?;
    let key_id = optional("kid")?;
    let typ = optional("typ")?.unwrap_or(UNTYPED);
    let algorithm = Algorithm::named(algorithm)
        .filter(|algorithm| policy.algorithms.contains(algorithm))
        .ok_or(TokenFault::AlgorithmNotAllowed)?;
    if header.member("crit").is_some() {
        return Err(TokenFault::UnsupportedCrit);
    }
    let start = typ.get(..MEDIA_TYPE.len());
    let typ = match start.is_some_and(|start| start.eq_ignore_ascii_case(MEDIA_TYPE)) {
        true => &typ[MEDIA_TYPE.len()..],
        false => typ,
    };
    if !policy.types.iter().any(|known| known.eq_ignore_ascii_case(typ)) {
        return Err(TokenFault::WrongType);
    }
    Ok(TokenHeader { algorithm, key_id })
}

#[cfg(test)]
mod tests {
    use super::super::json::object;
    use super::*;

    fn policy(types: &[&str]) -> TokenPolicy {
        TokenPolicy {
            algorithms: [Algorithm::Es256].into(),
            types: types.iter().map(|typ| (*typ).into()).collect(),
            ..TokenPolicy::new("https://idp", &["us"])
        }
    }

    #[test]
    fn a_header_is_judged_member_by_member() {
        let alg = ("alg", Json::from("ES256"));
        let with = |name, value: Json| object(&[alg.clone(), (name, value)]);
        for (header, fault) in [
            (Json::from("ES256"), TokenFault::MalformedHeader),
            (object(&[]), TokenFault::MalformedHeader),
            (object(&[("alg", Json::Null)]), TokenFault::MalformedHeader),
            (with("kid", Json::Number(1.0)), TokenFault::MalformedHeader),
            (with("kid", Json::Null), TokenFault::MalformedHeader),
            (with("typ", Json::Null), TokenFault::MalformedHeader),
            (object(&[("alg", "none".into())]), TokenFault::AlgorithmNotAllowed),
            (object(&[("alg", "HS256".into())]), TokenFault::AlgorithmNotAllowed),
            (object(&[("alg", "RS256".into())]), TokenFault::AlgorithmNotAllowed),
            (object(&[("alg", "es256".into())]), TokenFault::AlgorithmNotAllowed),
            (with("crit", Json::List([].into())), TokenFault::UnsupportedCrit),
            (with("crit", ["exp"].into()), TokenFault::UnsupportedCrit),
            (with("crit", Json::Null), TokenFault::UnsupportedCrit),
            (with("typ", "dpop+jwt".into()), TokenFault::WrongType),
            (with("typ", "".into()), TokenFault::WrongType),
        ] {
            assert_eq!(judge_header(&header, &policy(&["JWT"])), Err(fault), "{header:?}");
        }
        let header = with("kid", "one".into());
        let judged = judge_header(&header, &policy(&["JWT"])).unwrap();
        assert_eq!((judged.algorithm, judged.key_id), (Algorithm::Es256, Some("one")));
    }

    #[test]
    fn a_type_means_the_same_as_a_media_type_and_none_is_jwt() {
        for (typ, of_jwt, of_access) in [
            (None, true, false),
            (Some("JWT"), true, false),
            (Some("jwt"), true, false),
            (Some("application/jwt"), true, false),
            (Some("at+jwt"), false, true),
            (Some("Application/AT+JWT"), false, true),
        ] {
            let mut members = std::vec![("alg", Json::from("ES256"))];
            members.extend(typ.map(|typ| ("typ", typ.into())));
            let header = object(&members);
            let takes = |types: &[&str]| judge_header(&header, &policy(types)).is_ok();
            assert_eq!((takes(&["JWT"]), takes(&["at+jwt"])), (of_jwt, of_access), "{typ:?}");
        }
    }
}
