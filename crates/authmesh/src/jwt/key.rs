//! A public key of an issuer, ready to verify by each algorithm it is for.

use authmesh_logic::jwt::{
    Algorithm, Json, KeyFacts, LEAST_RSA_BITS, TokenFault, TokenPolicy, rsa_bits,
};
use aws_lc_rs::signature::{
    self as lc, EcdsaVerificationAlgorithm, ParsedPublicKey, RsaParameters, RsaPublicKeyComponents,
};

use super::base64url::decoded;

/// A public key of an issuer.
pub(super) struct Key {
    facts: KeyFacts,
    /// The key for each of the issuer's algorithms that it is for, or why it is of no use.
    ready: Vec<(Algorithm, Result<ParsedPublicKey, TokenFault>)>,
}

/// How an uncompressed point begins (SEC 1 §2.3.3).
const UNCOMPRESSED: u8 = 4;

impl Key {
    /// The key that a member of `keys` describes (RFC 7517 §4); nothing if it has no name. One that
    /// cannot be used is kept with the reason: its name is taken.
    pub(super) fn of(member: &Json, policy: &TokenPolicy) -> Option<Self> {
        let facts = KeyFacts::of(member)?;
        let fitting =
            policy.algorithms.iter().filter(|algorithm| facts.misfit(**algorithm).is_none());
        let ready = fitting.map(|algorithm| (*algorithm, parsed(member, *algorithm))).collect();
        Some(Self { facts, ready })
    }

    pub(super) fn id(&self) -> &str {
        &self.facts.id
    }

    /// Verifies a signature over `signed`.
    pub(super) fn verify(
        &self,
        algorithm: Algorithm,
        signed: &[u8],
        signature: &[u8],
    ) -> Result<(), TokenFault> {
        if let Some(misfit) = self.facts.misfit(algorithm) {
            return Err(misfit);
        }
        let ready = self.ready.iter().find(|(known, _)| *known == algorithm);
        let (_, key) = ready.ok_or(TokenFault::KeyAlgorithmMismatch)?;
        let key = key.as_ref().map_err(|fault| *fault)?;
        key.verify_sig(signed, signature).map_err(|_| TokenFault::BadSignature)
    }
}

fn parsed(member: &Json, algorithm: Algorithm) -> Result<ParsedPublicKey, TokenFault> {
    match algorithm {
        Algorithm::Rs256 => rsa(member, &lc::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::Rs384 => rsa(member, &lc::RSA_PKCS1_2048_8192_SHA384),
        Algorithm::Rs512 => rsa(member, &lc::RSA_PKCS1_2048_8192_SHA512),
        Algorithm::Ps256 => rsa(member, &lc::RSA_PSS_2048_8192_SHA256),
        Algorithm::Ps384 => rsa(member, &lc::RSA_PSS_2048_8192_SHA384),
        Algorithm::Ps512 => rsa(member, &lc::RSA_PSS_2048_8192_SHA512),
        Algorithm::Es256 => point(member, &lc::ECDSA_P256_SHA256_FIXED, 32),
        Algorithm::Es384 => point(member, &lc::ECDSA_P384_SHA384_FIXED, 48),
        Algorithm::Es512 => point(member, &lc::ECDSA_P521_SHA512_FIXED, 66),
        Algorithm::EdDsa => {
            let key = ParsedPublicKey::new(&lc::ED25519, bytes(member, "x")?);
            key.map_err(|_| TokenFault::InvalidKey)
        }
        Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => {
            Err(TokenFault::KeyAlgorithmMismatch)
        }
    }
}

fn rsa(member: &Json, parameters: &'static RsaParameters) -> Result<ParsedPublicKey, TokenFault> {
    let (n, e) = (bytes(member, "n")?, bytes(member, "e")?);
    if rsa_bits(&n) < LEAST_RSA_BITS {
        return Err(TokenFault::WeakKey);
    }
    let key = RsaPublicKeyComponents { n, e }.to_parsed_public_key(parameters);
    key.map_err(|_| TokenFault::InvalidKey)
}

/// A key on a curve whose coordinates have this length (RFC 7518 §6.2.1.2: no shorter, no longer).
fn point(
    member: &Json,
    algorithm: &'static EcdsaVerificationAlgorithm,
    coordinate: usize,
) -> Result<ParsedPublicKey, TokenFault> {
    let (x, y) = (bytes(member, "x")?, bytes(member, "y")?);
    if x.len() != coordinate || y.len() != coordinate {
        return Err(TokenFault::InvalidKey);
    }
    let point = [&[UNCOMPRESSED][..], &x, &y].concat();
    ParsedPublicKey::new(algorithm, point).map_err(|_| TokenFault::InvalidKey)
}

fn bytes(member: &Json, name: &str) -> Result<Vec<u8>, TokenFault> {
    let text = member.member(name).and_then(Json::text);
    text.and_then(decoded).ok_or(TokenFault::InvalidKey)
}
