//! Secrets of the demonstration: they can be made, sent and compared, not printed.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand;
use base64ct::{Base64UrlUnpadded, Encoding as _};

/// A password or a token.
#[derive(Clone)]
pub(crate) struct Secret(String);

/// What a store keeps of a secret: enough to know it again, not enough to use it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Fingerprint([u8; 32]);

impl Secret {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// A fresh one nobody can guess: 256 bits from the system.
    pub(crate) fn random() -> Self {
        Self(base64url(&random_bytes::<32>()))
    }

    /// The secret itself, to be sent or hashed.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        let hash = digest(&SHA256, self.0.as_bytes());
        let mut bytes = [0; 32];
        bytes.copy_from_slice(hash.as_ref());
        Fingerprint(bytes)
    }
}

/// Random bytes for keys, salts and tokens. Not the dice of the mesh: those are for spreading load.
pub(crate) fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    #[expect(clippy::expect_used, reason = "without the system's randomness no token is safe")]
    rand::fill(&mut bytes).expect("the system gives random bytes");
    bytes
}

/// Whether two byte strings are equal, in a time that does not tell where they differ.
pub(crate) fn are_equal(one: &[u8], two: &[u8]) -> bool {
    verify_slices_are_equal(one, two).is_ok()
}

/// RFC 4648 §5, without padding, as JOSE wants it.
pub(crate) fn base64url(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

pub(crate) fn from_base64url(text: &str) -> Option<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(text).ok()
}
