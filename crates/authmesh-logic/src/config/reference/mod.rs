//! Every key of the file: the table that the reader obeys and the documentation is made of.

mod access;
mod doors;
mod key;
mod page;
mod services;
mod traffic;
mod weaker;

pub use key::{Fallback, Key, Section, Standing, keys_of};
pub use page::reference;
pub use weaker::{Effect, Weaker};

pub(super) use key::find;
pub(super) use weaker::{amount, texts};

/// Every section, in the order of the documentation.
pub const SECTIONS: &[&[Section]] =
    &[doors::SECTIONS, access::SECTIONS, traffic::SECTIONS, services::SECTIONS];
