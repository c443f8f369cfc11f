//! Another configuration while the proxy runs: from its file, or put in force at the door for
//! people. Whatever is wrong, the old one stays.

mod change;
mod file;

pub use change::Changed;
