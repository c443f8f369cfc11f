//! Every key of the file: the table that the reader obeys and the documentation is made of.

mod access;
mod doors;
mod key;
mod page;
mod services;
mod traffic;

pub use key::{Fallback, Key, Section, Standing};
pub use page::reference;

pub(super) use key::{find, keys_of};

/// Every section, in the order of the documentation.
pub const SECTIONS: &[&[Section]] =
    &[doors::SECTIONS, access::SECTIONS, traffic::SECTIONS, services::SECTIONS];
