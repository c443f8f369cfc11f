//! What a key of a key set says of itself, and whether it may verify a signature.

use alloc::boxed::Box;

use super::{Algorithm, Json, KeyKind, TokenFault};

/// What a key says of itself beside its numbers (RFC 7517 §4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFacts {
    /// Its name.
    pub id: Box<str>,
    /// Its kind.
    pub kind: KeyKind,
    /// The only algorithm it is for, if it says so.
    algorithm: Option<Box<str>>,
    /// Whether what it says of its use lets it verify signatures.
    is_for_signatures: bool,
}

/// How long an RSA key must be at least, in bits (RFC 7518 §3.3).
pub const LEAST_RSA_BITS: usize = 2_048;

/// The length of an RSA key whose modulus has these bytes, in bits.
#[must_use]
pub fn rsa_bits(modulus: &[u8]) -> usize {
    let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
    let Some(first) = modulus.get(zeros) else { return 0 };
    (modulus.len() - zeros) * 8 - first.leading_zeros() as usize
}

impl KeyFacts {
    /// What a member of `keys` says; nothing if it has no name, so that no token can mean it.
    #[must_use]
    pub fn of(key: &Json) -> Option<Self> {
        let text = |name| key.member(name).and_then(Json::text);
        let kind = match (text("kty"), text("crv")) {
            (Some("RSA"), _) => KeyKind::Rsa,
            (Some("EC"), Some("P-256")) => KeyKind::P256,
            (Some("EC"), Some("P-384")) => KeyKind::P384,
            (Some("EC"), Some("P-521")) => KeyKind::P521,
            (Some("OKP"), Some("Ed25519")) => KeyKind::Ed25519,
            _ => KeyKind::Other,
        };
        let is_for_use = key.member("use").is_none_or(|purpose| purpose.text() == Some("sig"));
        let may_verify = match key.member("key_ops") {
            None => true,
            Some(Json::List(ops)) => ops.iter().any(|operation| operation.text() == Some("verify")),
            Some(_) => false,
        };
        Some(Self {
            id: text("kid")?.into(),
            kind,
            algorithm: key.member("alg").map(|alg| alg.text().unwrap_or_default().into()),
            is_for_signatures: is_for_use && may_verify,
        })
    }

    /// Why this key must not verify a signature by this algorithm; nothing if it may.
    #[must_use]
    pub fn misfit(&self, algorithm: Algorithm) -> Option<TokenFault> {
        let is_for_another = self.algorithm.as_deref().is_some_and(|own| own != algorithm.word());
        if is_for_another || !algorithm.takes(self.kind) {
            return Some(TokenFault::KeyAlgorithmMismatch);
        }
        (!self.is_for_signatures).then_some(TokenFault::KeyNotForSigning)
    }
}

#[cfg(test)]
mod tests {
    use super::super::json::object;
    use super::*;

    type Members<'a> = &'a [(&'a str, Json)];

    #[test]
    fn a_key_verifies_what_it_is_for() {
        use TokenFault::{KeyAlgorithmMismatch, KeyNotForSigning};
        let fits: &[(Members<'_>, Option<TokenFault>)] = &[
            (&[], None),
            (&[("use", "sig".into())], None),
            (&[("use", "enc".into())], Some(KeyNotForSigning)),
            (&[("use", Json::Null)], Some(KeyNotForSigning)),
            (&[("key_ops", ["verify"].into())], None),
            (&[("key_ops", ["sign", "verify"].into())], None),
            (&[("key_ops", ["sign"].into())], Some(KeyNotForSigning)),
            (&[("key_ops", Json::List([].into()))], Some(KeyNotForSigning)),
            (&[("key_ops", "verify".into())], Some(KeyNotForSigning)),
            (&[("alg", "ES256".into())], None),
            (&[("alg", "ES384".into())], Some(KeyAlgorithmMismatch)),
            (&[("alg", Json::Null)], Some(KeyAlgorithmMismatch)),
        ];
        for (members, wanted) in fits {
            let mut all =
                std::vec![("kid", "a".into()), ("kty", "EC".into()), ("crv", "P-256".into())];
            all.extend(members.iter().cloned());
            let facts = KeyFacts::of(&object(&all)).unwrap();
            assert_eq!(facts.misfit(Algorithm::Es256), *wanted, "{members:?}");
            assert_eq!(facts.misfit(Algorithm::Rs256), Some(KeyAlgorithmMismatch));
            assert_eq!(facts.misfit(Algorithm::Hs256), Some(KeyAlgorithmMismatch));
        }
    }

    #[test]
    fn a_secret_among_the_keys_fits_nothing_and_a_key_without_a_name_is_none() {
        let secret = object(&[("kid", "a".into()), ("kty", "oct".into()), ("k", "AAAA".into())]);
        let facts = KeyFacts::of(&secret).unwrap();
        for algorithm in Algorithm::ALL {
            assert_eq!(facts.misfit(algorithm), Some(TokenFault::KeyAlgorithmMismatch));
        }
        assert_eq!(KeyFacts::of(&object(&[("kty", "RSA".into())])), None);
        assert_eq!(KeyFacts::of(&Json::Null), None);
    }

    #[test]
    fn the_length_of_a_key_is_counted_from_its_first_bit() {
        for (modulus, bits) in
            [(&[][..], 0), (&[0, 0], 0), (&[1], 1), (&[0, 0x80, 0], 16), (&[0x7f, 0xff], 15)]
        {
            assert_eq!(rsa_bits(modulus), bits, "{modulus:?}");
        }
    }
}
