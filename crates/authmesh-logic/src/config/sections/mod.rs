//! One reader for each section of the file.

mod admin;
mod balance;
mod blocks;
mod breaker;
mod conditions;
mod discover;
mod headers;
mod health;
mod identity;
mod jwt;
mod limits;
mod listener;
mod network;
mod policy;
mod policy_test;
mod registry;
mod retry;
mod route;
mod secret;
mod service;
mod words;

pub(super) use admin::{read_admin, read_metrics};
pub(super) use headers::read_headers;
pub(super) use identity::{read_authorization, read_identity};
pub(super) use jwt::report_providers;
pub(super) use limits::read_limits;
pub(super) use listener::read_listener;
pub(super) use network::read_network;
pub(super) use policy::{ReadPolicy, read_policy};
pub(super) use policy_test::read_policy_test;
pub(super) use registry::read_registry;
pub(super) use retry::report_tries;
pub(super) use route::{ReadRoute, read_route};
pub(super) use service::read_service;
pub(super) use words::is_local;
