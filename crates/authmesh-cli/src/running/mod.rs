//! A mesh that runs: signals, changes of the file, the service manager, the log.

pub(crate) mod logs;

mod signals;

mod manager;

mod changes;

mod serve;

pub(crate) use serve::{Plan, serve};
