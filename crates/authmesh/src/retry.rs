//! Retries: what a request may survive, and how often it may be tried.
//!
//! Whether another attempt is made is decided by how the last one ended, by the request's
//! [`OperationClass`], by its [`Policy`] and by the budget of its service. A request whose class is
//! [`OperationClass::SingleUse`] is sent again only if the attempt provably was not processed.

pub use authmesh_logic::retry::{Methods, OperationClass, Policy};
