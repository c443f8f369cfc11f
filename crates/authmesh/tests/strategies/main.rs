//! The strategies at work in a mesh: real sockets, real servers, answers as they come.

#![expect(clippy::unwrap_used, reason = "helpers of tests; a fault here fails the test")]

mod abandoned;
mod admission;
mod backend;
mod grpc;
mod oauth2;
mod outlier;
mod quota;
