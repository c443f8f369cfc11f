//! Looks at the files of a configuration and those it speaks of: secrets, those of the identity and of
//! token providers.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use authmesh_logic::config::{
    Code, IdentityPlaces, MeshConfig, Outside, Problem, SecretReference, Span,
};

use super::secret::{Secret, SecretError};
use crate::clock::Clock;
use crate::identity::{Credentials, IdentityFault, Part};
use crate::jwt::{authorities_fault, keys_fault};

/// What is wrong with the files on this machine.
pub(super) fn problems(config: &MeshConfig, outside: &Outside) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (reference, span) in &outside.secrets {
        if let Err(error) = Secret::fetch(reference) {
            problems.push(secret_problem(reference, &error, *span));
        }
    }
    if let (Some(identity), Some(places)) = (&config.security.identity, &outside.identity) {
        let now = Clock.time_of_day().duration_since(UNIX_EPOCH).unwrap_or_default();
        let (faults, is_fatal) = match Credentials::read(identity, now) {
            Ok((_, warnings)) => (warnings, false),
            Err(faults) => (faults, true),
        };
        let found = faults.into_iter().map(|fault| identity_problem(fault, places));
        problems.extend(found.map(|problem| match is_fatal {
            true => problem,
            false => problem.as_warning(),
        }));
    }
    for (provider, places) in config.security.providers.iter().zip(&outside.providers) {
        let keys = keys_fault(provider).map(|fault| (fault, places.file, Code::NoSuchFile));
        let code = Code::CertificateUnreadable;
        let authorities = authorities_fault(provider).map(|fault| (fault, places.ca, code));
        let faults = keys.into_iter().chain(authorities);
        problems.extend(faults.map(|(fault, place, code)| {
            let sentence = format!("token provider `{}` has no keys: {fault}", provider.name);
            Problem::new(code, place, sentence)
        }));
    }
    problems
}

/// The files of the configuration itself that everybody may write, each a problem at its beginning.
/// Folders are not looked at: those of containers are often open, and mounted to be read alone.
pub(super) fn writable(paths: &[PathBuf]) -> Vec<Problem> {
    let is_writable = |(_, path): &(usize, &PathBuf)| {
        path.metadata().is_ok_and(|facts| facts.permissions().mode() & 0o002 != 0)
    };
    let problem = |(index, path): (usize, &PathBuf)| {
        let file = u16::try_from(index).unwrap_or(u16::MAX);
        let place = Span { file, ..Span::default() };
        let sentence = format!("everybody on this machine may write `{}`", path.display());
        Problem::new(Code::FileWritable, place, sentence)
            .note("who writes it decides who is trusted")
            .help(format!("chmod o-w {}", path.display()))
    };
    paths.iter().enumerate().filter(is_writable).map(problem).collect()
}

fn secret_problem(reference: &SecretReference, error: &SecretError, span: Span) -> Problem {
    let (sentence, help) = match (reference, error) {
        (SecretReference::Environment(name), SecretError::Unset) => {
            (format!("`{name}` is not set in the environment"), None)
        }
        (SecretReference::Credential(name), SecretError::Unset) => (
            format!("`$CREDENTIALS_DIRECTORY` is not set, so there is no credential `{name}`"),
            Some(format!("LoadCredential={name}:/etc/authmesh/{name}   # in the unit of systemd")),
        ),
        (SecretReference::File(path), SecretError::ReadableByOthers(_)) => {
            (format!("`{path}`: {error}"), Some(format!("chmod 600 {path}")))
        }
        (SecretReference::File(name), _) => (format!("`{name}`: {error}"), None),
        (SecretReference::Environment(name) | SecretReference::Credential(name), _) => {
            (format!("`{name}`: {error}"), None)
        }
    };
    let problem = Problem::new(error.code(), span, sentence);
    match help {
        Some(help) => problem.help(help),
        None => problem,
    }
}

fn identity_problem(fault: IdentityFault, places: &IdentityPlaces) -> Problem {
    let place = match fault.part {
        Part::Cert => places.cert,
        Part::Key => places.key,
        Part::Bundle => places.bundle,
        Part::Crl => places.crl,
        Part::Federation(index) => places.federation.get(index).copied().unwrap_or_default(),
    };
    let problem = Problem::new(fault.code, place, fault.sentence);
    match fault.help {
        Some(help) => problem.help(help),
        None => problem,
    }
}
