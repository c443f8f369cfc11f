//! Claims one by one, and what access rules read of them.

use core::time::Duration;
use std::vec::Vec;

use super::super::json::object;
use super::*;

const NOW: f64 = 1_000_000.0;

fn policy() -> TokenPolicy {
    TokenPolicy {
        longest_lifetime: Some(Duration::from_secs(3_600)),
        ..TokenPolicy::new("https://idp", &["us", "them"])
    }
}

fn now() -> NumericDate {
    NumericDate::of(&Json::Number(NOW)).unwrap()
}

/// The claims of a sound token, with these instead; `None` leaves one out.
fn claims(changed: &[(&str, Option<Json>)]) -> Json {
    let mut members: Vec<(&str, Json)> = [
        ("iss", Json::from("https://idp")),
        ("sub", Json::from("alice")),
        ("aud", Json::from("us")),
        ("iat", Json::from(NOW - 10.0)),
        ("exp", Json::from(NOW + 300.0)),
    ]
    .into();
    for (name, value) in changed {
        members.retain(|(known, _)| known != name);
        members.extend(value.clone().map(|value| (*name, value)));
    }
    object(&members)
}

#[test]
fn claims_are_judged_one_by_one() {
    use TokenFault::{
        ClaimNotHeaderSafe, Expired, IssuedInFuture, LifetimeTooLong, MalformedClaim,
        MissingAudience, MissingExpiry, MissingIssuer, MissingSubject, NotYetValid, WrongAudience,
        WrongIssuer,
    };
    let cases: &[(&str, Option<Json>, Option<TokenFault>)] = &[
        ("iss", None, Some(MissingIssuer)),
        ("iss", Some(1.0.into()), Some(MalformedClaim)),
        ("iss", Some("https://idp/".into()), Some(WrongIssuer)),
        ("iss", Some("HTTPS://idp".into()), Some(WrongIssuer)),
        ("exp", None, Some(MissingExpiry)),
        ("exp", Some(Json::Null), Some(MalformedClaim)),
        ("exp", Some("9999999999".into()), Some(MalformedClaim)),
        ("exp", Some(1e300.into()), Some(MalformedClaim)),
        ("exp", Some((NOW - 59.9).into()), None),
        ("exp", Some((NOW - 60.0).into()), Some(Expired)),
        ("exp", Some((-1.0).into()), Some(Expired)),
        ("exp", Some((NOW + 300.5).into()), None),
        ("exp", Some((NOW + 3_590.0).into()), None),
        ("exp", Some((NOW + 3_591.0).into()), Some(LifetimeTooLong)),
        ("nbf", Some((NOW + 60.0).into()), None),
        ("nbf", Some((NOW + 61.0).into()), Some(NotYetValid)),
        ("nbf", Some("soon".into()), Some(MalformedClaim)),
        ("iat", Some((NOW + 60.0).into()), None),
        ("iat", Some((NOW + 61.0).into()), Some(IssuedInFuture)),
        ("iat", Some("now".into()), Some(MalformedClaim)),
        ("iat", None, None),
        ("aud", None, Some(MissingAudience)),
        ("aud", Some("them".into()), None),
        ("aud", Some("u".into()), Some(WrongAudience)),
        ("aud", Some(["others", "us"].into()), None),
        ("aud", Some(Json::List([].into())), Some(WrongAudience)),
        ("aud", Some(Json::List([Json::from("us"), Json::Null].into())), Some(MalformedClaim)),
        ("aud", Some(object(&[])), Some(MalformedClaim)),
        ("sub", None, Some(MissingSubject)),
        ("sub", Some("".into()), Some(MalformedClaim)),
        ("sub", Some(7.0.into()), Some(MalformedClaim)),
        ("sub", Some("al ice@idp".into()), None),
        ("sub", Some("alice\r\nx-admin: 1".into()), Some(ClaimNotHeaderSafe)),
        ("sub", Some(" alice".into()), Some(ClaimNotHeaderSafe)),
        ("sub", Some("älice".into()), Some(ClaimNotHeaderSafe)),
        ("other", Some(object(&[])), None),
    ];
    for (name, value, fault) in cases {
        let judged = judge_claims(claims(&[(name, value.clone())]), &policy(), now());
        assert_eq!(judged.err(), *fault, "{name} {value:?}");
    }
    for payload in [Json::Null, Json::List([].into()), Json::from("x")] {
        let judged = judge_claims(payload, &policy(), now());
        assert_eq!(judged.err(), Some(TokenFault::MalformedPayload));
    }
}

#[test]
fn a_token_that_does_not_say_when_it_was_issued_must_end_soon_enough_from_now() {
    let ends_in = |seconds: f64| claims(&[("iat", None), ("exp", Some((NOW + seconds).into()))]);
    let judged = |seconds| judge_claims(ends_in(seconds), &policy(), now()).err();
    assert_eq!(judged(3_600.0), None);
    assert_eq!(judged(3_601.0), Some(TokenFault::LifetimeTooLong));
    let unbounded = TokenPolicy { longest_lifetime: None, ..policy() };
    assert_eq!(judge_claims(ends_in(1e9), &unbounded, now()).err(), None);
}

#[test]
fn what_was_believed_is_believed_until_it_ends() {
    let token = judge_claims(claims(&[]), &policy(), now()).unwrap();
    let at = |seconds: u64| now().later(Duration::from_secs(seconds));
    assert_eq!(token.still_hold(&policy(), at(359)), Ok(()));
    assert_eq!(token.still_hold(&policy(), at(360)), Err(TokenFault::Expired));
}

#[test]
fn rules_read_texts_lists_scopes_and_what_lies_deeper() {
    let payload = claims(&[
        ("groups", Some(["dev", "ops"].into())),
        ("scope", Some("read  write".into())),
        ("name", Some("Alice of Idp".into())),
        ("realm", Some(object(&[("roles", ["admin"].into())]))),
        ("https://a.example/roles", Some("editor".into())),
        ("level", Some(7.0.into())),
        ("below", Some((-3.0).into())),
        ("part", Some(1.5.into())),
        ("exact", Some(9_007_199_254_740_991.0.into())),
        ("rounded", Some(9_007_199_254_740_992.0.into())),
        ("suspended", Some(Json::Boolean(true))),
        ("mixed", Some(Json::List([Json::Number(7.0), Json::Boolean(false), Json::Null].into()))),
    ]);
    let token = judge_claims(payload, &policy(), now()).unwrap();
    for (name, wanted) in [
        ("groups", &["dev", "ops"][..]),
        ("scope", &["read", "write"]),
        ("name", &["Alice of Idp"]),
        ("realm.roles", &["admin"]),
        ("https://a.example/roles", &["editor"]),
        ("iss", &["https://idp"]),
        ("sub", &["alice"]),
        ("level", &["7"]),
        ("below", &["-3"]),
        ("part", &[]),
        ("exact", &["9007199254740991"]),
        ("rounded", &[]),
        ("suspended", &["true"]),
        ("mixed", &["7", "false"]),
        ("realm", &[]),
        ("realm.roles.admin", &[]),
        ("", &[]),
    ] {
        let mut found = Vec::new();
        token.each_text(name, &mut |text| found.push(String::from(text)));
        assert_eq!(found, wanted, "{name}");
    }
    assert_eq!((token.issuer(), token.subject().as_str()), ("https://idp", "alice"));
}
