//! What a configuration says, key by key with its place: the form that is dumped and compared.

mod compare;
mod list;
mod record;
mod rules;
mod tables;
mod text;

pub use compare::{Change, compare};
pub use list::{Group, Setting, Settings};
pub use text::toml_text;

pub(super) use record::{Place, Record};
