//! Takes relative paths of a configuration from the folder of its main file.

use std::path::Path;

use authmesh_logic::config::{
    AdminAccess, DiscoverySource, MeshConfig, Outside, RegistryConfig, SecretReference, Settings,
    Value,
};
use authmesh_logic::jwt::KeySource;

pub(super) fn anchor(config: &mut MeshConfig, outside: &mut Outside, folder: &Path) {
    if folder.as_os_str().is_empty() {
        return;
    }
    if let Some(identity) = &mut config.security.identity {
        place(&mut identity.cert, folder);
        place(&mut identity.key, folder);
        if let Some(trust) = &mut identity.trust {
            place(&mut trust.bundle, folder);
            trust.crl.iter_mut().for_each(|crl| place(&mut crl.file, folder));
            trust.federation.iter_mut().for_each(|other| place(&mut other.bundle, folder));
        }
    }
    for provider in &mut config.security.providers {
        if let KeySource::File(path) = &mut provider.keys {
            place(path, folder);
        }
        provider
            .authorities
            .iter_mut()
            .chain(&mut provider.copy)
            .for_each(|path| place(path, folder));
    }
    for service in &mut config.services {
        if let DiscoverySource::File(path) = &mut service.source {
            place(path, folder);
        }
    }
    if let RegistryConfig::Embedded { persist: Some(path), .. } = &mut config.registry {
        place(path, folder);
    }
    let token = match config.security.admin.as_mut().map(|admin| &mut admin.access) {
        Some(AdminAccess::Loopback { token, .. }) => Some(token),
        _ => None,
    };
    for secret in token.into_iter().chain(outside.secrets.iter_mut().map(|(secret, _)| secret)) {
        if let SecretReference::File(path) = secret {
            place(path, folder);
        }
    }
}

/// The same for what is dumped and compared: every key whose kind begins with the word path.
pub(super) fn anchor_settings(settings: &mut Settings, folder: &Path) {
    if folder.as_os_str().is_empty() {
        return;
    }
    let settings = settings.groups.iter_mut().flat_map(|group| &mut group.settings);
    for setting in settings.filter(|setting| setting.key.kind.starts_with("path")) {
        if let Value::String(text) = &mut setting.value {
            let mut path = text.as_str().into();
            place(&mut path, folder);
            *text = path.into();
        }
    }
}

fn place(path: &mut Box<str>, folder: &Path) {
    // A folder whose name is not UTF-8 cannot stand in a path that is; then the path stays.
    if let Some(placed) = folder.join(&**path).to_str() {
        *path = placed.into();
    }
}
