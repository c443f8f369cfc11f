//! TLS at the door: what listeners serve it with, how connections enter, and whose they are.

mod enter;
mod listener;
mod proved;

pub use listener::TlsError;

pub(crate) use enter::Entered;
pub(crate) use listener::{ListenerTls, check};
pub(crate) use proved::Proved;
