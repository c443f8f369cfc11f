//! The signature algorithms of JSON Web Algorithms, and the kind of key that each wants.

/// An algorithm by which a token is signed (RFC 7518 §3.1, RFC 8037 §3.1). `none` is not among
/// them: no value of this type stands for a token that is not signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// ECDSA on P-521 with SHA-512.
    Es512,
    /// Ed25519.
    EdDsa,
    /// HMAC with SHA-256: known, so that it can be refused by name. No public key fits it.
    Hs256,
    /// HMAC with SHA-384; as [`Self::Hs256`].
    Hs384,
    /// HMAC with SHA-512; as [`Self::Hs256`].
    Hs512,
}

/// The kind of a public key: what it is and on which curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// RSA.
    Rsa,
    /// An elliptic curve key on P-256.
    P256,
    /// An elliptic curve key on P-384.
    P384,
    /// An elliptic curve key on P-521.
    P521,
    /// Ed25519.
    Ed25519,
    /// One that no algorithm here wants.
    Other,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Self; 13] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::Es512,
        Self::EdDsa,
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
    ];

    /// Its name in `alg`. Case matters there (RFC 7515 §4.1.1).
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::EdDsa => "EdDSA",
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }

    /// The algorithm of this name.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.word() == word)
    }

    /// Whether who verifies could also sign.
    #[must_use]
    pub const fn is_symmetric(self) -> bool {
        matches!(self, Self::Hs256 | Self::Hs384 | Self::Hs512)
    }

    /// Whether a key of this kind fits.
    #[must_use]
    pub const fn takes(self, kind: KeyKind) -> bool {
        matches!(
            (self, kind),
            (
                Self::Rs256 | Self::Rs384 | Self::Rs512 | Self::Ps256 | Self::Ps384 | Self::Ps512,
                KeyKind::Rsa
            ) | (Self::Es256, KeyKind::P256)
                | (Self::Es384, KeyKind::P384)
                | (Self::Es512, KeyKind::P521)
                | (Self::EdDsa, KeyKind::Ed25519)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_means_its_algorithm_and_case_matters() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::named(algorithm.word()), Some(algorithm));
        }
        for word in ["none", "None", "", "es256", "EDDSA", "ES256K", "RS256 "] {
            assert_eq!(Algorithm::named(word), None, "{word}");
        }
    }

    #[test]
    fn each_asymmetric_algorithm_takes_one_kind_of_key_and_no_symmetric_one_takes_any() {
        use KeyKind::{Ed25519, Other, P256, P384, P521, Rsa};
        for algorithm in Algorithm::ALL {
            let kinds = [Rsa, P256, P384, P521, Ed25519, Other];
            let taken = kinds.into_iter().filter(|kind| algorithm.takes(*kind)).count();
            assert_eq!(taken, usize::from(!algorithm.is_symmetric()), "{algorithm:?}");
            assert!(!algorithm.takes(Other));
        }
    }
}
