//! The time, as the mesh reads it.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use authmesh_logic::Moment;

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock;

static EPOCH: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "stands in until the library lends its clock")]
    pub(crate) fn now(self) -> Moment {
        let now = Instant::now();
        let epoch = *EPOCH.get_or_init(|| now);
        Moment::START + now.saturating_duration_since(epoch)
    }

    #[expect(clippy::disallowed_methods, reason = "stands in until the library lends its clock")]
    pub(crate) fn time_of_day(self) -> SystemTime {
        SystemTime::now()
    }
}

pub(crate) async fn sleep_until(moment: Moment) {
    tokio::time::sleep(moment.since(Clock.now())).await;
}

pub(crate) fn unix_seconds() -> u64 {
    let since = Clock.time_of_day().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    since.as_secs()
}
