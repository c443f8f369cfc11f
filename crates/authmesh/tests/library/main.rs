//! The library as a program uses it: real sockets, real servers, a mesh in between.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests; a fault fails the test")]

mod backend;
mod breaker;
mod change;
mod life;
mod mesh;
mod pick;
mod retry;
