//! Refuses what an HTTP parser lets through, and says what travels on.

mod form;

pub mod path;

mod authority;
mod field;

pub mod forward;

pub mod request;

pub(crate) use authority::{is_host, is_name};
pub use field::{connection_names, is_same_field};
