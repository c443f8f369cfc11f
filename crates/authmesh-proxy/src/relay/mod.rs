//! The short way of a request: one that came whole, and needs nothing rewritten, is passed on as the
//! bytes it is.
//!
//! Whatever is rarer, and whatever is to be refused before it is sent, is left to the long way
//! (`forward`): a connection that brings such a request goes over to it with the bytes it has sent,
//! and stays there. So each refusal is made in one place, and what both ways do they do alike.

mod answer;
mod outlet;
#[cfg(test)]
mod properties;
mod request;
mod session;

pub(crate) use session::{Ended, Session};
