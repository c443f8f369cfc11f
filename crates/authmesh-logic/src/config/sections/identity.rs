//! Reads who this mesh is, and what happens to a request that no rule speaks of.

use crate::config::findings::Written;
use crate::config::reader::Reader;
use crate::config::{DefaultAccess, IdentityConfig};

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
    let cert = reader.path("cert");
    let cert = reader.required("cert", cert);
    let key = reader.path("key");
    let key = reader.required("key", key);
    let identity = cert.zip(key).map(|(cert, key)| {
        reader.findings.outside.identity = Some((cert.span, key.span));
        IdentityConfig { cert: cert.value.into(), key: key.value.into() }
    });
    reader.deny_rest();
    identity
}
