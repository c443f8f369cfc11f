//! Reads for how long an answer says it is fresh.

use core::time::Duration;

/// For how long an answer is fresh by its `Cache-Control` (RFC 9111 §5.2.2): zero if it must not be
/// kept, nothing if it does not say.
#[must_use]
pub fn fresh_for(cache_control: &str) -> Option<Duration> {
    let mut fresh_for = None;
    for directive in cache_control.split(',') {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        let (name, value) = (name.trim(), value.trim().trim_matches('"'));
        if name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("no-cache") {
            return Some(Duration::ZERO);
        }
        if name.eq_ignore_ascii_case("max-age") {
            fresh_for = value.parse().ok().map(Duration::from_secs);
        }
    }
    fresh_for
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_fresh_for_as_long_as_it_says() {
        for (value, seconds) in [
            ("max-age=600", Some(600)),
            ("public, Max-Age=\"60\", must-revalidate", Some(60)),
            ("no-store", Some(0)),
            ("max-age=600, no-cache", Some(0)),
            ("max-age=-1", None),
            ("max-age=99999999999999999999", None),
            ("public", None),
            ("", None),
        ] {
            assert_eq!(fresh_for(value), seconds.map(Duration::from_secs), "{value}");
        }
    }
}
