//! HTTP/1.1 to one endpoint as bytes, for requests that came whole: no task and no queue between the
//! request and its connection.

mod answer;
mod connection;
mod pool;

pub use answer::Progress;
pub(crate) use answer::RawAnswer;
pub(crate) use connection::Connection;
pub(super) use pool::Pool;
