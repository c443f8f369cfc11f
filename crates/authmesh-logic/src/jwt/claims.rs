//! Judges the claims of a token, and lets access rules read them.

use alloc::string::String;

use super::{Json, NumericDate, TokenFault, TokenPolicy};
use crate::authorization::{Claims, each_element};

/// What a token says once it is verified.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenClaims {
    payload: Json,
    issuer: String,
    subject: Subject,
    expiry: NumericDate,
}

/// Whom a token is about: not empty, and what may stand in a header field as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject(String);

/// Whom a payload names as its issuer. It is not proved by that, but says whose keys prove it.
///
/// # Errors
///
/// [`TokenFault::MalformedPayload`], [`TokenFault::MissingIssuer`] or [`TokenFault::MalformedClaim`].
pub fn issuer_of(payload: &Json) -> Result<&str, TokenFault> {
    if !payload.is_object() {
        return Err(TokenFault::MalformedPayload);
    }
    let issuer = payload.member("iss").ok_or(TokenFault::MissingIssuer)?;
    issuer.text().ok_or(TokenFault::MalformedClaim)
}

/// Judges whether a payload names this issuer, letter by letter.
///
/// # Errors
///
/// Those of [`issuer_of`], and [`TokenFault::WrongIssuer`].
pub fn judge_issuer(payload: &Json, policy: &TokenPolicy) -> Result<(), TokenFault> {
    match issuer_of(payload)? == &*policy.issuer {
        true => Ok(()),
        false => Err(TokenFault::WrongIssuer),
    }
}

/// Judges the claims of a token whose signature holds, at `now` (RFC 7519 §4.1).
///
/// # Errors
///
/// The first fault, in the order of the table in [`jwt`](crate::jwt).
pub fn judge_claims(
    payload: Json,
    policy: &TokenPolicy,
    now: NumericDate,
) -> Result<TokenClaims, TokenFault> {
    judge_issuer(&payload, policy)?;
    let expiry = judge_times(&payload, policy, now)?;
    judge_audience(&payload, policy)?;
    let subject = Subject::of(&payload)?;
    Ok(TokenClaims { issuer: policy.issuer.as_ref().into(), subject, expiry, payload })
}

fn judge_times(
    payload: &Json,
    policy: &TokenPolicy,
    now: NumericDate,
) -> Result<NumericDate, TokenFault> {
    let time = |name| payload.member(name).map(NumericDate::of).transpose();
    let expiry = time("exp")?.ok_or(TokenFault::MissingExpiry)?;
    let (begins, issued) = (time("nbf")?, time("iat")?);
    if has_ended(expiry, policy, now) {
        return Err(TokenFault::Expired);
    }
    let soon = now.later(policy.leeway);
    if begins.is_some_and(|begins| begins > soon) {
        return Err(TokenFault::NotYetValid);
    }
    if issued.is_some_and(|issued| issued > soon) {
        return Err(TokenFault::IssuedInFuture);
    }
    // Where it does not say when it was issued, it must end soon enough from now.
    let issued = issued.unwrap_or(now);
    if policy.longest_lifetime.is_some_and(|longest| expiry > issued.later(longest)) {
        return Err(TokenFault::LifetimeTooLong);
    }
    Ok(expiry)
}

fn has_ended(expiry: NumericDate, policy: &TokenPolicy, now: NumericDate) -> bool {
    expiry.later(policy.leeway) <= now
}

fn judge_audience(payload: &Json, policy: &TokenPolicy) -> Result<(), TokenFault> {
    let is_ours = |text: &str| policy.audiences.iter().any(|ours| **ours == *text);
    let is_for_us = match payload.member("aud").ok_or(TokenFault::MissingAudience)? {
        Json::Text(audience) => is_ours(audience),
        Json::List(audiences) => {
            if audiences.iter().any(|audience| audience.text().is_none()) {
                return Err(TokenFault::MalformedClaim);
            }
            audiences.iter().filter_map(Json::text).any(is_ours)
        }
        _ => return Err(TokenFault::MalformedClaim),
    };
    if is_for_us { Ok(()) } else { Err(TokenFault::WrongAudience) }
}

impl TokenClaims {
    /// Whom it is about.
    #[must_use]
    pub const fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Judges again what time changes: a token that was believed is so until it ends.
    ///
    /// # Errors
    ///
    /// [`TokenFault::Expired`].
    pub fn still_hold(&self, policy: &TokenPolicy, now: NumericDate) -> Result<(), TokenFault> {
        if has_ended(self.expiry, policy, now) { Err(TokenFault::Expired) } else { Ok(()) }
    }

    /// A claim by its name, or by the names on the way to it with dots between them. A claim whose
    /// own name has dots comes first.
    fn claim(&self, name: &str) -> Option<&Json> {
        self.payload.member(name).or_else(|| {
            let mut value = &self.payload;
            for part in name.split('.') {
                value = value.member(part)?;
            }
            Some(value)
        })
    }
}

impl Claims for TokenClaims {
    fn issuer(&self) -> &str {
        &self.issuer
    }

    fn subject(&self) -> &str {
        &self.subject.0
    }

    fn each_text(&self, name: &str, visit: &mut dyn FnMut(&str)) {
        match self.claim(name) {
            Some(Json::Text(text)) => each_element(name, text, visit),
            Some(claim) => claim.each_text(visit),
            None => {}
        }
    }
}

impl Subject {
    fn of(payload: &Json) -> Result<Self, TokenFault> {
        let subject = payload.member("sub").ok_or(TokenFault::MissingSubject)?;
        let text = match subject.text() {
            None | Some("") => return Err(TokenFault::MalformedClaim),
            Some(text) => text,
        };
        // ASCII is what OpenID Connect Core §2 allows, and what every reader of a field reads alike;
        // white space at an end would be cut off on the way (RFC 9110 §5.5).
        let is_lawful = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if !is_lawful || text.trim_matches(' ').len() != text.len() {
            return Err(TokenFault::ClaimNotHeaderSafe);
        }
        Ok(Self(text.into()))
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests;
