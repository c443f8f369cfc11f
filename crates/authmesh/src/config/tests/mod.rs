//! What the configuration must refuse, accept and keep to itself.

mod access;
mod change;
mod dump;
mod faults;
mod files;
mod helps;
mod includes;
mod keys;
mod meaning;
mod properties;
mod secrets;
mod strategies;
mod syntax;

pub(super) use meaning::WHOLE;
