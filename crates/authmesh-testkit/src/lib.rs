//! What the tests of Authmesh share.
//!
//! Modules stand in the order in which they may use one another: each only those above it.

pub mod certificates;

pub mod fuzz;

pub mod oracle;

pub mod scenarios;

pub mod tokens;
