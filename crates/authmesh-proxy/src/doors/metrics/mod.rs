//! The door for machines: metrics, life and readiness. No token, and nothing can be changed here.

mod names;
mod text;

mod operations;

mod breakers;

mod scrape;

mod door;

pub(crate) use door::MetricsDoor;
