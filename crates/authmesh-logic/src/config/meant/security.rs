//! Identity, authorization and the door for people, as meant.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;

use crate::authorization::DefaultAccess;
use crate::config::policies::{PolicyConfig, PolicyTest};
use crate::hygiene::TrustedNetwork;
use crate::identity::{RevocationMode, TrustDomain};
use crate::jwt;

/// Identity, authorization, headers, the door for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecurityConfig {
    /// The certificate this mesh proves itself with.
    pub identity: Option<IdentityConfig>,
    /// What happens to a request that no policy speaks of; a proxy must have it written.
    pub authorization: Option<DefaultAccess>,
    /// The access rules, in the order of the text.
    pub policies: Vec<PolicyConfig>,
    /// The token providers, by name.
    pub providers: Vec<jwt::Provider>,
    /// Requests that the access rules are tried with.
    pub policy_tests: Vec<PolicyTest>,
    /// Whose `x-forwarded-*` fields are believed.
    pub trusted_proxies: Vec<TrustedNetwork>,
    /// The field that carries the caller's identity upstream, lower case.
    pub identity_header: Option<String>,
    /// The door for people.
    pub admin: Option<AdminConfig>,
}

/// The files this mesh proves itself with, and those that say whom it believes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityConfig {
    /// The certificate chain, PEM.
    pub cert: Box<str>,
    /// Its private key, PEM.
    pub key: Box<str>,
    /// Whom this mesh believes; `None` if it identifies nobody by certificate.
    pub trust: Option<TrustConfig>,
}

/// Whom a mesh believes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustConfig {
    /// The trust domain this mesh is of.
    pub trust_domain: TrustDomain,
    /// The root certificates of that domain, PEM.
    pub bundle: Box<str>,
    /// The revocation lists; `None` is not to ask for any.
    pub crl: Option<RevocationConfig>,
    /// Other trust domains, each with its own bundle, ordered by their name in the file.
    pub federation: Vec<FederationConfig>,
}

/// Where revocation lists are found, and what happens where they say nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationConfig {
    /// The lists, PEM.
    pub file: Box<str>,
    /// What happens to a peer of whom no usable list speaks.
    pub mode: RevocationMode,
}

/// Another trust domain whose workloads are believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FederationConfig {
    /// Its name.
    pub trust_domain: TrustDomain,
    /// Its root certificates, PEM.
    pub bundle: Box<str>,
}

/// The door for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminConfig {
    /// Where it listens, and who may enter.
    pub access: AdminAccess,
}

/// Where the door for people listens, and who may enter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdminAccess {
    /// A Unix socket; the peer must run as one of these users.
    Socket {
        /// The path.
        path: Box<str>,
        /// Lawful user ids; only the mesh's own if empty.
        allow_uids: Vec<u32>,
    },
    /// TCP on loopback; the peer must know a token.
    Loopback {
        /// The address.
        address: SocketAddr,
        /// The token.
        token: SecretReference,
    },
}

/// Where a secret is found; never the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretReference {
    /// In a file.
    File(Box<str>),
    /// In an environment variable.
    Environment(Box<str>),
    /// In a systemd credential.
    Credential(Box<str>),
}
