//! What the configuration must refuse, accept and keep to itself.

mod access;
mod faults;
mod files;
mod includes;
mod keys;
mod meaning;
mod properties;
mod secrets;
mod syntax;
