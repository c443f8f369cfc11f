//! Which route a request takes.

mod host;
mod pattern;
mod table;

pub use host::{HostPattern, HostPatternError, host_of};
pub use pattern::{Pattern, PatternError};
pub use table::{Route, Routes};
