//! Why a token is not believed.

/// Why a token is not believed. Each has a word that scripts and metrics compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TokenFault {
    /// No token came.
    MissingToken,
    /// More than one `Authorization` field came: two readers would take different ones.
    DuplicateAuthorization,
    /// It is longer than allowed.
    TokenTooLarge,
    /// It is not three segments of base64url.
    Malformed,
    /// Its header is not an object of JSON with the members wanted, each once.
    MalformedHeader,
    /// Its algorithm is none of the provider's.
    AlgorithmNotAllowed,
    /// It has extensions that must be understood, and none is.
    UnsupportedCrit,
    /// It is of another kind, made for another purpose.
    WrongType,
    /// Its payload is not an object of JSON with each member once.
    MalformedPayload,
    /// A claim is of another type than it must be, or out of range.
    MalformedClaim,
    /// It names no issuer.
    MissingIssuer,
    /// It names another issuer.
    WrongIssuer,
    /// It names no key.
    MissingKeyId,
    /// The issuer has no key of this name.
    UnknownKeyId,
    /// The issuer has more than one key of this name.
    AmbiguousKeyId,
    /// The key is of another kind, or for another algorithm.
    KeyAlgorithmMismatch,
    /// The key is not for verifying signatures.
    KeyNotForSigning,
    /// The key is too short.
    WeakKey,
    /// The key cannot be used.
    InvalidKey,
    /// The signature does not hold.
    BadSignature,
    /// It does not say when it ends.
    MissingExpiry,
    /// It has ended.
    Expired,
    /// It does not hold yet.
    NotYetValid,
    /// It was issued later than now.
    IssuedInFuture,
    /// It holds for longer than allowed.
    LifetimeTooLong,
    /// It says not whom it is for.
    MissingAudience,
    /// It is for others.
    WrongAudience,
    /// It says not whom it is about.
    MissingSubject,
    /// Its subject cannot stand in a header field.
    ClaimNotHeaderSafe,
}

impl TokenFault {
    /// Every fault, in the order of the judgement.
    pub const ALL: [Self; 29] = [
        Self::MissingToken,
        Self::DuplicateAuthorization,
        Self::TokenTooLarge,
        Self::Malformed,
        Self::MalformedHeader,
        Self::AlgorithmNotAllowed,
        Self::UnsupportedCrit,
        Self::WrongType,
        Self::MalformedPayload,
        Self::MalformedClaim,
        Self::MissingIssuer,
        Self::WrongIssuer,
        Self::MissingKeyId,
        Self::UnknownKeyId,
        Self::AmbiguousKeyId,
        Self::KeyAlgorithmMismatch,
        Self::KeyNotForSigning,
        Self::WeakKey,
        Self::InvalidKey,
        Self::BadSignature,
        Self::MissingExpiry,
        Self::Expired,
        Self::NotYetValid,
        Self::IssuedInFuture,
        Self::LifetimeTooLong,
        Self::MissingAudience,
        Self::WrongAudience,
        Self::MissingSubject,
        Self::ClaimNotHeaderSafe,
    ];

    /// The word in logs and metrics.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::MissingToken => "missing_token",
            Self::DuplicateAuthorization => "duplicate_authorization",
            Self::TokenTooLarge => "token_too_large",
            Self::Malformed => "malformed",
            Self::MalformedHeader => "malformed_header",
            Self::AlgorithmNotAllowed => "alg_not_allowed",
            Self::UnsupportedCrit => "unsupported_crit",
            Self::WrongType => "wrong_typ",
            Self::MalformedPayload => "malformed_payload",
            Self::MalformedClaim => "malformed_claim",
            Self::MissingIssuer => "missing_iss",
            Self::WrongIssuer => "wrong_issuer",
            Self::MissingKeyId => "missing_kid",
            Self::UnknownKeyId => "unknown_kid",
            Self::AmbiguousKeyId => "ambiguous_kid",
            Self::KeyAlgorithmMismatch => "key_alg_mismatch",
            Self::KeyNotForSigning => "key_not_for_signing",
            Self::WeakKey => "weak_key",
            Self::InvalidKey => "invalid_key",
            Self::BadSignature => "bad_signature",
            Self::MissingExpiry => "missing_exp",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::IssuedInFuture => "iat_in_future",
            Self::LifetimeTooLong => "lifetime_too_long",
            Self::MissingAudience => "missing_aud",
            Self::WrongAudience => "wrong_audience",
            Self::MissingSubject => "missing_sub",
            Self::ClaimNotHeaderSafe => "claim_not_header_safe",
        }
    }

    /// The HTTP status of the answer: the request itself is wrong (400), or who calls is not proved
    /// (401).
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::DuplicateAuthorization => 400,
            _ => 401,
        }
    }
}

impl core::fmt::Display for TokenFault {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.pad(self.word())
    }
}

impl core::error::Error for TokenFault {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_fault_has_a_word_of_its_own() {
        let words: BTreeSet<_> = TokenFault::ALL.map(TokenFault::word).into();
        assert_eq!(words.len(), TokenFault::ALL.len());
        assert!(TokenFault::ALL.is_sorted());
    }
}
