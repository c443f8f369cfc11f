//! The whole of a configuration, and its registry.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::SocketAddr;

use super::network::NetworkConfig;
use super::security::SecurityConfig;
use super::service::{RouteConfig, ServiceConfig};
use crate::discovery::Address;
use crate::discovery::registry::Registrants;

/// The whole of one mesh's configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MeshConfig {
    /// The services, ordered by name, each name once.
    pub services: Vec<ServiceConfig>,
    /// Listeners, connections, limits.
    pub network: NetworkConfig,
    /// Which request goes to which service; the first that matches decides.
    pub routes: Vec<RouteConfig>,
    /// Identity, authorization, headers, the door for people.
    pub security: SecurityConfig,
    /// Where the door for machines listens; `None` is nowhere.
    pub metrics: Option<SocketAddr>,
    /// The registry.
    pub registry: RegistryConfig,
}

/// The registry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RegistryConfig {
    /// None.
    #[default]
    None,
    /// In this process.
    Embedded {
        /// Where workloads reach it; in process only if `None`. Without TLS, TCP only on loopback.
        address: Option<Address>,
        /// Whether workloads prove there who they are, by mutual TLS.
        is_mutual: bool,
        /// The directory it survives restarts in; in memory only if `None`.
        persist: Option<Box<str>>,
        /// Who may register which service there.
        registrants: Registrants,
    },
}

impl RegistryConfig {
    /// Whether both keep their records in the same way and place; the door may still differ.
    #[must_use]
    pub fn is_same_engine(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::None, Self::None) => true,
            (Self::Embedded { persist, .. }, Self::Embedded { persist: others, .. }) => {
                persist == others
            }
            _ => false,
        }
    }
}
