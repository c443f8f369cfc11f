//! Looks at the files a configuration speaks of: secrets, and those of the identity.

use std::time::UNIX_EPOCH;

use authmesh_logic::config::{IdentityPlaces, MeshConfig, Outside, Problem, Span};

use super::secret::{Secret, SecretError};
use crate::clock::Clock;
use crate::identity::{Credentials, IdentityFault, Part};

/// What is wrong with the files on this machine.
pub(super) fn problems(config: &MeshConfig, outside: &Outside) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (reference, span) in &outside.secrets {
        if let Err(error) = Secret::fetch(reference) {
            problems.push(secret_problem(&error, *span));
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
    problems
}

fn secret_problem(error: &SecretError, span: Span) -> Problem {
    let problem = Problem::new(error.code(), span, error.to_string());
    match error {
        SecretError::ReadableByOthers(_) => problem.help("chmod 600 the file"),
        _ => problem,
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
