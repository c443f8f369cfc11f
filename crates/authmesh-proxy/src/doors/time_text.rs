//! Writes a time of day as RFC 3339 does: `2026-11-25T05:00:44.123Z`.

use std::time::{SystemTime, UNIX_EPOCH};

use authmesh_logic::config::Date;

const DAY_SECONDS: u64 = 86_400;

/// The text of a time, in UTC with milliseconds. Times before 1970 are written as its first moment.
pub(crate) fn time_text(at: SystemTime) -> String {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, second) = (since.as_secs() / DAY_SECONDS, since.as_secs() % DAY_SECONDS);
    let date = Date::from_days(days);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    let millis = since.subsec_millis();
    format!("{date}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn known_times_have_their_known_texts() {
        let cases = [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_709_251_200_000, "2024-03-01T00:00:00.000Z"),
            (1_795_582_844_123, "2026-11-25T05:00:44.123Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ];
        for (millis, text) in cases {
            assert_eq!(time_text(UNIX_EPOCH + Duration::from_millis(millis)), text);
        }
    }
}
