//! Reads how long a dependency asks to be left alone.

use core::time::Duration;

use super::http_date::http_date;

/// The wait that a `Retry-After` field asks for, in seconds or as a date (RFC 9110 §10.2.3), the
/// date compared with `now`, the time of day in seconds since 1970. `None` if it is not lawful; a
/// date that has passed is no wait.
#[must_use]
pub fn retry_after(field: &[u8], now: u64) -> Option<Duration> {
    let text = core::str::from_utf8(field).ok()?.trim_ascii();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are longer than anybody waits.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    Some(Duration::from_secs(http_date(text)?.saturating_sub(now)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_read_and_nothing_else() {
        let now = 784_111_777;
        let rows = [
            ("0", Some(0)),
            ("120", Some(120)),
            (" 5 ", Some(5)),
            ("99999999999999999999", Some(u64::MAX)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(0)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Tue, 29 Feb 2000 00:00:00 GMT", Some(951_782_400 - now)),
            ("Wed, 31 Dec 1969 23:59:59 GMT", None),
            ("Sunday, 06-Nov-94 08:49:37 GMT", None),
            ("Sun, 06 Nov 1994 08:49:37 CET", None),
            ("Sun, 6 Nov 1994 08:49:37 GMT", None),
            ("Sun, 06 Nov 1994 24:00:00 GMT", None),
            ("-1", None),
            ("1.5", None),
            ("", None),
        ];
        for (field, seconds) in rows {
            let wanted = seconds.map(Duration::from_secs);
            assert_eq!(retry_after(field.as_bytes(), now), wanted, "{field}");
        }
    }
}
