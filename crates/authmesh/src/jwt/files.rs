//! Looks at the files of a provider before it is put in force.

use std::path::Path;

use authmesh_logic::jwt::{KeySource, Provider};

use super::fetch_fault::FetchFault;
use super::key_set::{KeySet, KeySetFault};
use super::roots::{client_config, words};
use super::source::LONGEST_FILE;
use crate::file_bytes::read_bounded;

/// Why the file of a provider's keys is of no use, if it has one and it is not.
pub(crate) fn keys_fault(provider: &Provider) -> Option<FetchFault> {
    let KeySource::File(path) = &provider.keys else { return None };
    let bytes = match read_bounded(Path::new(&**path), LONGEST_FILE, false) {
        Ok(bytes) => bytes,
        Err(fault) => return Some(FetchFault::File(words(fault))),
    };
    match KeySet::from_json(&bytes, &provider.tokens) {
        Ok(keys) if keys.is_empty() => Some(FetchFault::Keys(KeySetFault::Empty)),
        Ok(_) => None,
        Err(fault) => Some(FetchFault::Keys(fault)),
    }
}

/// Why the file of its server's authorities is of no use, if it has one and it is not.
pub(crate) fn authorities_fault(provider: &Provider) -> Option<FetchFault> {
    client_config(Some(provider.authorities.as_deref()?)).err()
}
