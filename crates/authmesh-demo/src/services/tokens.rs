//! Access tokens: JSON Web Tokens signed with ES256 (RFC 7515, RFC 7518 §3.4), and their key set.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    UnparsedPublicKey,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::sessions::SessionId;
use crate::secret::{Secret, base64url, from_base64url, random_bytes};

/// Signs access tokens, and knows its own again.
pub(crate) struct Tokens {
    key: EcdsaKeyPair,
    key_id: String,
    /// The protected header of every token, encoded.
    header: String,
}

/// What an access token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) iss: String,
    pub(crate) aud: String,
    pub(crate) sub: String,
    pub(crate) sid: SessionId,
    pub(crate) iat: u64,
    pub(crate) exp: u64,
}

/// Who issues tokens, and for whom.
const ISSUER: &str = "https://token.demo.authmesh";
const AUDIENCE: &str = "demo-api";

/// How long an access token is good, in seconds.
pub(crate) const LIFETIME_S: u64 = 300;

/// The first byte of an uncompressed point, and the length of its coordinates (SEC 1 §2.3.3).
const UNCOMPRESSED: u8 = 4;
const COORDINATE: usize = 32;

impl Tokens {
    /// Makes a new key.
    pub(crate) fn new() -> Self {
        #[expect(clippy::expect_used, reason = "without a key there is no token service")]
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .expect("the system gives random bytes");
        let key_id = base64url(&random_bytes::<8>());
        let header = json!({ "alg": "ES256", "kid": key_id, "typ": "at+jwt" });
        let header = base64url(header.to_string().as_bytes());
        Self { key, key_id, header }
    }

    /// A token that lets `subject` act in `session` from `now` on, in Unix seconds.
    pub(crate) fn issue(&self, subject: &str, session: SessionId, now: u64) -> Secret {
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: subject.to_owned(),
            sid: session,
            iat: now,
            exp: now + LIFETIME_S,
        };
        let payload = base64url(json!(claims).to_string().as_bytes());
        let signed = format!("{}.{payload}", self.header);
        #[expect(clippy::expect_used, reason = "signing fails only without randomness")]
        let signature = self
            .key
            .sign(&SystemRandom::new(), signed.as_bytes())
            .expect("the system gives random bytes");
        Secret::new(format!("{signed}.{}", base64url(signature.as_ref())))
    }

    /// What a token says, if it is one of ours, unchanged and in force at `now`.
    ///
    /// The header must be ours byte for byte: no other algorithm or key is ever considered.
    pub(crate) fn verify(&self, token: &str, now: u64) -> Option<Claims> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        if header != self.header {
            return None;
        }
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.key.public_key().as_ref())
            .verify(signed.as_bytes(), &from_base64url(signature)?)
            .ok()?;
        let claims: Claims = serde_json::from_slice(&from_base64url(payload)?).ok()?;
        let is_for_us = claims.iss == ISSUER && claims.aud == AUDIENCE;
        (is_for_us && claims.iat <= now && now < claims.exp).then_some(claims)
    }

    /// The key set others verify with (RFC 7517).
    pub(crate) fn key_set(&self) -> Value {
        let point = self.key.public_key().as_ref();
        let coordinates = point.strip_prefix(&[UNCOMPRESSED]).unwrap_or(point);
        let (x, y) = coordinates.split_at(COORDINATE);
        json!({ "keys": [{
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.key_id,
            "x": base64url(x), "y": base64url(y),
        }]})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: SessionId = SessionId(7);

    #[test]
    fn a_token_says_what_was_signed_until_it_expires() {
        let tokens = Tokens::new();
        let token = tokens.issue("user-01", SESSION, 1_000);
        let claims = tokens.verify(token.expose(), 1_000).unwrap();
        assert_eq!((claims.sub.as_str(), claims.sid), ("user-01", SESSION));
        assert_eq!(tokens.verify(token.expose(), 1_000 + LIFETIME_S), None);
        assert_eq!(tokens.verify(token.expose(), 999), None, "issued in the future");
    }

    #[test]
    fn a_token_that_was_changed_or_is_anothers_is_refused() {
        let tokens = Tokens::new();
        let token = tokens.issue("user-01", SESSION, 1_000);
        let parts: Vec<_> = token.expose().split('.').collect();
        let payload = String::from_utf8(from_base64url(parts[1]).unwrap()).unwrap();
        let other = base64url(payload.replace("user-01", "user-02").as_bytes());
        let changed = format!("{}.{other}.{}", parts[0], parts[2]);
        assert_eq!(tokens.verify(&changed, 1_000), None);
        let unsigned = base64url(br#"{"alg":"none"}"#);
        assert_eq!(tokens.verify(&format!("{unsigned}.{}.", parts[1]), 1_000), None);
        assert_eq!(Tokens::new().verify(token.expose(), 1_000), None);
    }

    #[test]
    fn the_key_set_verifies_what_was_signed() {
        let tokens = Tokens::new();
        let keys = tokens.key_set();
        let key = &keys["keys"][0];
        let mut point = vec![UNCOMPRESSED];
        for coordinate in ["x", "y"] {
            point.extend(from_base64url(key[coordinate].as_str().unwrap()).unwrap());
        }
        let token = tokens.issue("user-01", SESSION, 1_000);
        let (signed, signature) = token.expose().rsplit_once('.').unwrap();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
            .verify(signed.as_bytes(), &from_base64url(signature).unwrap())
            .unwrap();
    }
}
