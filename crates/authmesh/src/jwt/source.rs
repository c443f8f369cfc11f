//! Brings the key set of a provider from where it says: a server, or a file.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use authmesh_logic::jwt::{KeySource, Provider, jwks_uri};
use bytes::Bytes;

use super::fetch::{Fetched, get};
use super::fetch_fault::FetchFault;
use super::json;
use super::roots::{client_config, words};
use crate::file_bytes::read_bounded;

/// How long a fetch may take, from resolving the name to the last byte.
pub(super) const LONGEST_FETCH: Duration = Duration::from_secs(5);

/// How often a file is read: it is nobody's load.
const FILE_INTERVAL: Duration = Duration::from_secs(60);

/// The longest file of keys that is read, in bytes.
pub(super) const LONGEST_FILE: u64 = 256 * 1024;

/// Where OpenID Connect Discovery 1.0 §4 has the document of an issuer.
const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// Brings the key set of `provider`, in time.
pub(super) async fn bring(provider: &Provider) -> Result<Fetched, FetchFault> {
    let bringing = async {
        match &provider.keys {
            KeySource::File(path) => read(path.clone()).await,
            KeySource::Url(url) => get(url, &tls(provider).await?).await,
            KeySource::Discovery => discover(provider).await,
        }
    };
    tokio::time::timeout(LONGEST_FETCH, bringing).await.unwrap_or(Err(FetchFault::Late))
}

async fn discover(provider: &Provider) -> Result<Fetched, FetchFault> {
    let tls = tls(provider).await?;
    let issuer = &*provider.tokens.issuer;
    let url = format!("{}{WELL_KNOWN}", issuer.strip_suffix('/').unwrap_or(issuer));
    let document = get(&url, &tls).await?;
    let document = json::read(&document.body).ok_or(FetchFault::Broken)?;
    let keys = jwks_uri(&document, issuer).map_err(FetchFault::Discovery)?;
    get(keys, &tls).await
}

/// Read anew each time: authorities are renewed while a mesh runs.
async fn tls(provider: &Provider) -> Result<Arc<rustls::ClientConfig>, FetchFault> {
    let authorities = provider.authorities.clone();
    let read = tokio::task::spawn_blocking(move || client_config(authorities.as_deref())).await;
    // A reading that panicked was reported where it did.
    read.unwrap_or_else(|error| Err(FetchFault::Unproved(error.to_string()))).map(Arc::new)
}

async fn read(path: Box<str>) -> Result<Fetched, FetchFault> {
    let reading = move || read_bounded(Path::new(&*path), LONGEST_FILE, false);
    let read = tokio::task::spawn_blocking(reading).await;
    let bytes = read.map_err(|error| FetchFault::File(format!("cannot be read: {error}")))?;
    let bytes = bytes.map_err(|fault| FetchFault::File(words(fault)))?;
    Ok(Fetched { body: Bytes::copy_from_slice(&bytes), fresh_for: Some(FILE_INTERVAL) })
}
