//! The time, as the mesh reads it.

use std::time::{Duration, UNIX_EPOCH};

pub(crate) use authmesh::worker::Clock;
use authmesh_logic::Moment;

/// Waits for a moment.
pub(crate) async fn sleep_until(moment: Moment) {
    tokio::time::sleep(moment.since(Clock.now())).await;
}

/// The time of day as tokens have it.
pub(crate) fn unix_seconds() -> u64 {
    let since = Clock.time_of_day().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    since.as_secs()
}
