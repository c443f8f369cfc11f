//! Why a peer's certificate proves nothing, as words that scripts compare.

use core::fmt;

macro_rules! faults {
    ($($name:ident $word:literal $sentence:literal;)*) => {
        /// Why a chain of certificates is no proof of an identity.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum SvidFault {
            $(
                #[doc = concat!("`", $word, "`: ", $sentence, ".")]
                $name,
            )*
        }

        impl SvidFault {
            /// Every fault, ordered by word.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The word of logs, metrics and scripts.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// What it means, as a sentence without a full stop.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence,)* }
            }
        }
    };
}

faults! {
    BundleMismatch "bundle_mismatch" "the identity is of another trust domain than the bundle";
    CrlExpired "crl_expired" "the revocation list is past its next update";
    CrlMissing "crl_missing" "no revocation list speaks of the certificate";
    CrlSignature "crl_signature" "the revocation list is not signed by the certificate's issuer";
    EkuIncomplete "eku_incomplete" "the extended key usage lacks server or client authentication";
    EmptyChain "empty_chain" "there is no certificate";
    Expired "expired" "a certificate of the chain has ended";
    IntermediateTrustDomain "intermediate_trust_domain" "an intermediate authority is of another trust domain";
    InvalidSpiffeId "invalid_spiffe_id" "the URI is no lawful SPIFFE ID";
    KeyUsageNotCritical "key_usage_not_critical" "the key usage is not marked critical";
    LeafCrlSign "leaf_crl_sign" "the certificate may sign revocation lists, as no workload's may";
    LeafIsCa "leaf_is_ca" "the certificate is an authority's";
    LeafKeyCertSign "leaf_key_cert_sign" "the certificate may sign certificates, as no workload's may";
    LeafWithoutPath "leaf_without_path" "the SPIFFE ID names a trust domain and no workload";
    Malformed "malformed" "the bytes are no certificate that is understood";
    MultipleUriSan "multiple_uri_san" "the certificate has more than one URI";
    NameConstraint "name_constraint" "a name is outside of what its authority may speak for";
    NoBundle "no_bundle" "there is no bundle for the trust domain";
    NoDigitalSignature "no_digital_signature" "the key may not sign";
    NoUriSan "no_uri_san" "the certificate has no URI";
    NotSpiffe "not_spiffe" "the URI is of another scheme";
    NotYetValid "not_yet_valid" "the life of a certificate of the chain has not begun";
    Revoked "revoked" "a certificate of the chain was revoked";
    UnknownAuthority "unknown_authority" "no authority of the trust domain vouches for the certificate";
    WrongSanType "wrong_san_type" "the SPIFFE ID stands where only other names may stand";
}

impl fmt::Display for SvidFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.sentence(), self.word())
    }
}

impl core::error::Error for SvidFault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_ordered_by_word_and_each_word_is_used_once() {
        assert!(SvidFault::ALL.windows(2).all(|pair| pair[0].word() < pair[1].word()));
    }
}
