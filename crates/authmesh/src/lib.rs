//! The service mesh for authentication systems, as a library.
//!
//! Importing this crate costs nothing: nothing runs, is registered or allocated until it is asked.
//!
//! Modules stand in the order in which they may use one another: each only those above it.

mod clock;
mod luck;

mod alarm;

mod file_bytes;

mod error;

// ── Stop calling what fails ──────────
pub mod circuit_breaker;

pub mod retry;

// ── Prove who calls whom ──────────
pub mod identity;

pub mod jwt;

// ── Find instances, spread requests over them, watch them ──────────
pub mod discovery;

pub mod load_balancer;

pub mod health;

// ── One checked file ──────────
pub mod config;

// ── The request lane, from the wire up ──────────
mod request_body;

mod spare;

mod scratch;

mod raw_head;

mod raw_request;

mod transport;

pub mod telemetry;

mod operator;

mod endpoint;

mod admission;

mod answer_body;

mod message;

mod judge;

mod roster;

mod service;

mod attempt;

mod failed;

mod choose;

mod tunnel;

mod exchange;

mod response_body;

mod raw_reply;

mod stack;

mod pick;

mod client;

// ── The update lane ──────────
mod outliers;

mod driver;

// ── The mesh ──────────
mod snapshot;

pub mod status;

mod build_error;

mod running;

mod mesh;

pub mod worker;

pub use build_error::BuildError;
pub use client::ServiceClient;
pub use error::{Error, ErrorKind};
pub use mesh::{Mesh, MeshBuilder};
