//! Refuses what an HTTP parser lets through, and says what travels on.

mod form;

pub mod path;
