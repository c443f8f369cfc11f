//! What a walk over the tree has found: problems, and the names and places that are compared
//! across sections once everything is read.

use alloc::string::String;
use alloc::vec::Vec;

use super::settings::Record;
use super::{Acceptance, Code, Problem, SecretReference, Severity, Span};
use crate::discovery::Address;

/// The most problems that are kept; those beyond still make the configuration faulty.
const MOST_PROBLEMS: usize = 500;

/// A value and where it is written.
#[derive(Clone, Copy)]
pub(super) struct Written<T> {
    pub(super) value: T,
    /// The key; the value itself in an array.
    pub(super) key: Span,
    /// The value.
    pub(super) span: Span,
}

impl<T> Written<T> {
    /// From the key to the end of the value.
    pub(super) const fn whole(&self) -> Span {
        self.key.to(self.span)
    }

    /// Another value in the same place.
    pub(super) fn with<U>(&self, value: U) -> Written<U> {
        Written { value, key: self.key, span: self.span }
    }
}

/// Where something listens.
pub(super) struct Listening {
    pub(super) address: Address,
    pub(super) span: Span,
    /// Who listens, for a sentence: "listener `inbound`".
    pub(super) who: String,
}

/// What lies outside the text and can be looked at on the machine that runs it.
#[derive(Default)]
pub struct Outside {
    /// The secrets, each with the place of its reference.
    pub secrets: Vec<(SecretReference, Span)>,
    /// The place of each policy's name, in their order.
    pub policies: Vec<Span>,
    /// The place of each policy test, in their order.
    pub policy_tests: Vec<Span>,
    /// The places of the identity's paths.
    pub identity: Option<IdentityPlaces>,
    /// The places of the paths of each token provider, in their order.
    pub providers: Vec<ProviderPlaces>,
}

/// Where the paths of a token provider are written; nowhere in particular where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProviderPlaces {
    /// That of its keys.
    pub file: Span,
    /// That of the authorities.
    pub ca: Span,
}

/// Where the paths of an identity are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdentityPlaces {
    /// The certificate's.
    pub cert: Span,
    /// The key's.
    pub key: Span,
    /// The bundle's.
    pub bundle: Span,
    /// The revocation lists'.
    pub crl: Span,
    /// The bundles' of other trust domains, in the order of the configuration.
    pub federation: Vec<Span>,
}

#[derive(Default)]
pub(super) struct Findings {
    pub(super) problems: Vec<Problem>,
    /// Whether the text is damaged, so that what is missing may merely be unreadable.
    pub(super) damaged: bool,
    pub(super) broken: bool,
    pub(super) listening: Vec<Listening>,
    /// Services as written, the faulty ones too.
    pub(super) service_names: Vec<String>,
    pub(super) listener_names: Vec<Written<String>>,
    pub(super) route_names: Vec<Written<String>>,
    pub(super) policy_names: Vec<Written<String>>,
    pub(super) policies_meant: Vec<Written<String>>,
    /// Token providers as written, the faulty ones too.
    pub(super) provider_names: Vec<Written<String>>,
    pub(super) providers_meant: Vec<Written<String>>,
    /// Whose tokens they are about.
    pub(super) issuers: Vec<Written<String>>,
    pub(super) services_meant: Vec<Written<String>>,
    pub(super) listeners_meant: Vec<Written<String>>,
    pub(super) registry_meant: Vec<Span>,
    /// Whether an `[identity]` is written and cannot be used.
    pub(super) is_identity_faulty: bool,
    /// Where the mesh must prove itself, each with the words that need it.
    pub(super) certificate_meant: Vec<Written<&'static str>>,
    /// Where peers must prove themselves, each with the words that need it.
    pub(super) trust_meant: Vec<Written<&'static str>>,
    /// Trust domains that are named, each of which needs a bundle.
    pub(super) domains_meant: Vec<Written<String>>,
    pub(super) outside: Outside,
    pub(super) accepted: Vec<Acceptance>,
    /// What was taken, key by key.
    pub(super) record: Record,
}

impl Findings {
    /// Whether no further problem is kept.
    pub(super) fn is_full(&self) -> bool {
        self.problems.len() >= MOST_PROBLEMS
    }

    pub(super) fn report(&mut self, problem: Problem) {
        // Beside damage, what seems to be missing is probably just unreadable.
        let of_absence = matches!(
            problem.code,
            Code::Missing
                | Code::UnknownName
                | Code::NoneOfThem
                | Code::NoPolicy
                | Code::AdminWithoutToken
                | Code::Version
        );
        if self.damaged && of_absence {
            return;
        }
        self.broken |= problem.severity == Severity::Error;
        if !self.is_full() {
            self.problems.push(problem);
        }
    }
}
