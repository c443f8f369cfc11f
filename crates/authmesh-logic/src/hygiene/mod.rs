//! Refuses what an HTTP parser lets through, and says what travels on.

pub mod path;

mod form;
