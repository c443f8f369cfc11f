//! HTTP/1.1 to one endpoint as bytes, for requests that came whole: no task and no queue between the
//! request and its connection.

mod answer;
mod connection;
mod send;

pub use answer::Progress;
pub(crate) use answer::RawAnswer;
pub(crate) use connection::Connection;
