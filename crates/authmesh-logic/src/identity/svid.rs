//! Decides whether the facts of a certificate make it an X.509-SVID, and whose.

use super::certificate::Certificate;
use super::fault::SvidFault;
use super::spiffe_id::SpiffeId;

/// Whose certificate a workload's is (X509-SVID §2, §4, §5): the rules that need no signature.
///
/// | rule | fault |
/// |---|---|
/// | exactly one URI among its names | `no_uri_san`, `multiple_uri_san` |
/// | a SPIFFE ID is that URI and stands nowhere instead of it | `wrong_san_type` |
/// | the URI is a lawful SPIFFE ID | `not_spiffe`, `invalid_spiffe_id` |
/// | the ID names a workload | `leaf_without_path` |
/// | it is no authority | `leaf_is_ca` |
/// | its key signs neither certificates nor revocation lists | `leaf_key_cert_sign`, `leaf_crl_sign` |
/// | its key may sign, and says so critically | `no_digital_signature`, `key_usage_not_critical` |
/// | it proves servers and clients, if it says what it proves | `eku_incomplete` |
///
/// # Errors
///
/// The first fault, in this order.
pub fn check_leaf(certificate: &Certificate<'_>) -> Result<SpiffeId, SvidFault> {
    let id = sole_id(certificate)?;
    if id.path().is_empty() {
        return Err(SvidFault::LeafWithoutPath);
    }
    if certificate.is_authority {
        return Err(SvidFault::LeafIsCa);
    }
    let key_use = certificate.key_use.unwrap_or_default();
    if key_use.certificate_sign {
        return Err(SvidFault::LeafKeyCertSign);
    }
    if key_use.crl_sign {
        return Err(SvidFault::LeafCrlSign);
    }
    if !key_use.digital_signature {
        return Err(SvidFault::NoDigitalSignature);
    }
    if !key_use.is_critical {
        return Err(SvidFault::KeyUsageNotCritical);
    }
    if certificate.extended_use.is_some_and(|extended| !extended.server || !extended.client) {
        return Err(SvidFault::EkuIncomplete);
    }
    Ok(id)
}

/// Whether a certificate may stand between a workload of `trust_domain` and its root (X509-SVID
/// §3, §4.1): one that names SPIFFE IDs names that trust domain alone, without a path.
///
/// # Errors
///
/// `intermediate_trust_domain` or `invalid_spiffe_id`.
pub fn check_signer(certificate: &Certificate<'_>, trust_domain: &str) -> Result<(), SvidFault> {
    match sole_id(certificate) {
        Ok(id) if id.trust_domain() != trust_domain => Err(SvidFault::IntermediateTrustDomain),
        Ok(id) if !id.path().is_empty() => Err(SvidFault::InvalidSpiffeId),
        // An authority need not be named at all.
        Ok(_) | Err(SvidFault::NoUriSan | SvidFault::WrongSanType | SvidFault::NotSpiffe) => Ok(()),
        Err(fault) => Err(fault),
    }
}

fn sole_id(certificate: &Certificate<'_>) -> Result<SpiffeId, SvidFault> {
    let uri = match (certificate.uris.count, certificate.uris.first) {
        (1, Some(uri)) => uri,
        (0, _) | (_, None) if certificate.has_id_elsewhere => return Err(SvidFault::WrongSanType),
        (0, _) | (_, None) => return Err(SvidFault::NoUriSan),
        _ => return Err(SvidFault::MultipleUriSan),
    };
    let is_spiffe = uri.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"spiffe:"));
    if !is_spiffe {
        return Err(SvidFault::NotSpiffe);
    }
    let text = core::str::from_utf8(uri).map_err(|_| SvidFault::InvalidSpiffeId)?;
    text.parse().map_err(|_| SvidFault::InvalidSpiffeId)
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::super::certificate::{ExtendedUse, KeyUse, Uris};
    use super::super::lifetime::Lifetime;
    use super::*;

    const LAWFUL: Certificate<'static> = Certificate {
        serial: &[],
        issuer: &[],
        lifetime: Lifetime { from: Duration::ZERO, until: Duration::MAX },
        uris: Uris { count: 1, first: Some(b"spiffe://a/login") },
        has_id_elsewhere: false,
        is_authority: false,
        key_use: Some(KeyUse {
            is_critical: true,
            digital_signature: true,
            certificate_sign: false,
            crl_sign: false,
        }),
        extended_use: Some(ExtendedUse { server: true, client: true }),
    };

    #[test]
    fn each_rule_of_a_workload_has_its_fault() {
        type Change = fn(&mut Certificate<'static>);
        let table: [(Change, Option<SvidFault>); 19] = [
            (|_| {}, None),
            (|facts| facts.has_id_elsewhere = true, None),
            (|facts| facts.extended_use = None, None),
            (|facts| facts.uris = Uris::default(), Some(SvidFault::NoUriSan)),
            (
                |facts| (facts.uris, facts.has_id_elsewhere) = (Uris::default(), true),
                Some(SvidFault::WrongSanType),
            ),
            (|facts| facts.uris.count = 2, Some(SvidFault::MultipleUriSan)),
            (|facts| facts.uris.first = Some(b"https://a/login"), Some(SvidFault::NotSpiffe)),
            (|facts| facts.uris.first = Some(b""), Some(SvidFault::NotSpiffe)),
            (|facts| facts.uris.first = Some(b"SPIFFE://a/b"), Some(SvidFault::InvalidSpiffeId)),
            (|facts| facts.uris.first = Some(b"spiffe://a/\0"), Some(SvidFault::InvalidSpiffeId)),
            (|facts| facts.uris.first = Some(b"spiffe://a/\xff"), Some(SvidFault::InvalidSpiffeId)),
            (|facts| facts.uris.first = Some(b"spiffe://a"), Some(SvidFault::LeafWithoutPath)),
            (|facts| facts.is_authority = true, Some(SvidFault::LeafIsCa)),
            (|facts| usage(facts).certificate_sign = true, Some(SvidFault::LeafKeyCertSign)),
            (|facts| usage(facts).crl_sign = true, Some(SvidFault::LeafCrlSign)),
            (|facts| facts.key_use = None, Some(SvidFault::NoDigitalSignature)),
            (|facts| usage(facts).is_critical = false, Some(SvidFault::KeyUsageNotCritical)),
            (
                |facts| facts.extended_use = Some(ExtendedUse { server: true, client: false }),
                Some(SvidFault::EkuIncomplete),
            ),
            (
                |facts| facts.extended_use = Some(ExtendedUse { server: false, client: true }),
                Some(SvidFault::EkuIncomplete),
            ),
        ];
        for (index, (change, fault)) in table.into_iter().enumerate() {
            let mut facts = LAWFUL;
            change(&mut facts);
            assert_eq!(check_leaf(&facts).err(), fault, "row {index}");
        }
        assert_eq!(check_leaf(&LAWFUL).unwrap().as_str(), "spiffe://a/login");
    }

    #[test]
    fn a_signer_names_its_own_trust_domain_or_none() {
        let signer = |uris| Certificate { uris, is_authority: true, ..LAWFUL };
        let named = |uri: &'static [u8]| signer(Uris { count: 1, first: Some(uri) });
        for (facts, expected) in [
            (signer(Uris::default()), Ok(())),
            (named(b"spiffe://a"), Ok(())),
            (named(b"https://a.example/ca"), Ok(())),
            (named(b"spiffe://b"), Err(SvidFault::IntermediateTrustDomain)),
            (named(b"spiffe://a/ca"), Err(SvidFault::InvalidSpiffeId)),
            (named(b"spiffe://A"), Err(SvidFault::InvalidSpiffeId)),
            (signer(Uris { count: 2, first: Some(b"spiffe://a") }), Err(SvidFault::MultipleUriSan)),
        ] {
            assert_eq!(check_signer(&facts, "a"), expected, "{facts:?}");
        }
    }

    fn usage<'a>(facts: &'a mut Certificate<'static>) -> &'a mut KeyUse {
        facts.key_use.get_or_insert_default()
    }
}
