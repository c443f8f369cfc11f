//! Refuses what an HTTP parser lets through.
