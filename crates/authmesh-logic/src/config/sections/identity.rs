//! Reads who this mesh is, whom it believes, and what happens to a request that no rule speaks of.

use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use crate::config::findings::{IdentityPlaces, Written};
use crate::config::reader::Reader;
use crate::config::{
    Code, DefaultAccess, FederationConfig, IdentityConfig, Problem, RevocationConfig, Span,
    TrustConfig,
};
use crate::identity::{RevocationMode, SpiffeId, TrustDomain};

pub(in crate::config) fn read_authorization(
    mut reader: Reader<'_, '_>,
) -> Option<Written<DefaultAccess>> {
    let words = [("deny", DefaultAccess::Deny), ("allow", DefaultAccess::Allow)];
    let access = reader.choice("default", &words, &[]);
    let access = reader.required("default", access);
    reader.deny_rest();
    access
}

pub(in crate::config) fn read_identity(mut reader: Reader<'_, '_>) -> Option<IdentityConfig> {
    reader.findings.is_identity_faulty = true;
    reader.choice("source", &[("files", ())], &["spiffe"]);
    let cert = reader.path("cert");
    let cert = reader.required("cert", cert);
    let key = reader.path("key");
    let key = reader.required("key", key);
    let mut places = IdentityPlaces::default();
    let trust = read_trust(&mut reader, &mut places);
    let identity = cert.zip(key).zip(trust).map(|((cert, key), trust)| {
        (places.cert, places.key) = (cert.span, key.span);
        reader.findings.outside.identity = Some(places);
        reader.findings.is_identity_faulty = false;
        IdentityConfig { cert: cert.value.into(), key: key.value.into(), trust }
    });
    reader.deny_rest();
    identity
}

/// Whom the mesh believes, if anything of it is written; `None` if what is written is faulty.
fn read_trust(
    reader: &mut Reader<'_, '_>,
    places: &mut IdentityPlaces,
) -> Option<Option<TrustConfig>> {
    let is_meant =
        ["trust_domain", "bundle", "crl", "federation"].into_iter().any(|key| reader.has(key));
    let domain = reader.trust_domain("trust_domain");
    let bundle = reader.path("bundle");
    let crl = match reader.has("crl") {
        true => reader.table("crl", "crl").and_then(read_crl).map(Some),
        false => Some(None),
    };
    let federation = read_federation(reader, domain.as_ref());
    if !is_meant {
        return Some(None);
    }
    let domain = reader.required("trust_domain", domain);
    let bundle = reader.required("bundle", bundle);
    let (domain, bundle, crl, federation) = (domain?, bundle?, crl?, federation?);
    places.bundle = bundle.span;
    places.crl = crl.as_ref().map_or(Span::default(), |crl| crl.span);
    places.federation = federation.iter().map(|other| other.span).collect();
    Some(Some(TrustConfig {
        trust_domain: domain.value,
        bundle: bundle.value.into(),
        crl: crl.map(|crl| crl.value),
        federation: federation.into_iter().map(|other| other.value).collect(),
    }))
}

fn read_crl(mut reader: Reader<'_, '_>) -> Option<Written<RevocationConfig>> {
    let file = reader.path("file");
    let file = reader.required("file", file);
    let modes = [("require", RevocationMode::Require), ("warn", RevocationMode::Warn)];
    let is_written = reader.has("mode");
    let mode = reader.choice("mode", &modes, &[]);
    reader.deny_rest();
    if is_written && mode.is_none() {
        return None;
    }
    let mode = mode.map_or_else(RevocationMode::default, |mode| mode.value);
    file.map(|file| file.with(RevocationConfig { file: file.value.into(), mode }))
}

/// The other trust domains, each with the place of its bundle.
fn read_federation(
    reader: &mut Reader<'_, '_>,
    own: Option<&Written<TrustDomain>>,
) -> Option<Vec<Written<FederationConfig>>> {
    let mut others: Vec<Written<FederationConfig>> = Vec::new();
    let mut known: Vec<Written<TrustDomain>> = own.cloned().into_iter().collect();
    let mut is_whole = !reader.has("federation") || reader.is_table("federation");
    reader.each_by_name("federation", "federation", |_, mut reader| {
        let domain = reader.trust_domain("trust_domain");
        let domain = reader.required("trust_domain", domain);
        let bundle = reader.path("bundle");
        let bundle = reader.required("bundle", bundle);
        let twin = domain.as_ref().and_then(|domain| {
            known.iter().find(|known| known.value == domain.value).map(|known| known.span)
        });
        match (domain, bundle, twin) {
            (Some(domain), Some(bundle), None) => {
                known.push(domain.clone());
                let bundle_path = bundle.value.into();
                let trust_domain = domain.value;
                others.push(bundle.with(FederationConfig { trust_domain, bundle: bundle_path }));
            }
            (Some(domain), _, Some(first)) => {
                is_whole = false;
                let sentence = format!("trust domain `{}` has a bundle already", domain.value);
                reader.report(
                    Problem::new(Code::NameTwice, domain.span, sentence)
                        .again(first, "first named here"),
                );
            }
            _ => is_whole = false,
        }
        reader.deny_rest();
    });
    is_whole.then_some(others)
}

impl Reader<'_, '_> {
    /// The name of a trust domain.
    pub(in crate::config) fn trust_domain(
        &mut self,
        key: &'static str,
    ) -> Option<Written<TrustDomain>> {
        let text = self.string(key)?;
        match text.value.parse() {
            Ok(domain) => Some(text.with(domain)),
            Err(fault) => {
                let problem = Problem::new(Code::BadSpiffeId, text.span, fault.to_string());
                self.report(problem.help(format!("{key} = \"corp.example\"")));
                None
            }
        }
    }

    /// The SPIFFE ID of a workload: one that has a path.
    pub(in crate::config) fn workload(&mut self, text: Written<&str>) -> Option<Written<SpiffeId>> {
        let id = self.as_spiffe_id(text)?;
        if id.value.path().is_empty() {
            let sentence = "this names a trust domain and no workload";
            self.report(Problem::new(Code::BadSpiffeId, id.span, sentence));
        }
        Some(id)
    }

    /// A SPIFFE ID, whose trust domain needs a bundle.
    pub(in crate::config) fn as_spiffe_id(
        &mut self,
        text: Written<&str>,
    ) -> Option<Written<SpiffeId>> {
        match text.value.parse::<SpiffeId>() {
            Ok(id) => {
                let domain = text.with(id.trust_domain().to_string());
                self.findings.domains_meant.push(domain);
                Some(text.with(id))
            }
            Err(fault) => {
                self.report(bad_id(text.span, &fault.to_string()));
                None
            }
        }
    }
}

fn bad_id(span: Span, sentence: &str) -> Problem {
    Problem::new(Code::BadSpiffeId, span, sentence)
        .help("spiffe://corp.example/token: a trust domain and a path, without a `/` at the end")
}
