//! Says of something that holds for a time that it does not, or not for long.

use std::time::Duration;

use authmesh_logic::config::Code;
use authmesh_logic::identity::{Lifetime, Standing};

/// What is to be said at `now` of what holds for `lifetime`, as the end of a sentence; `None` if
/// nothing is.
pub(crate) fn age_words(lifetime: Lifetime, now: Duration) -> Option<(Code, String)> {
    Some(match lifetime.standing(now) {
        Standing::Fresh => return None,
        Standing::NotYet => {
            let begins = time_words(lifetime.from.saturating_sub(now));
            (Code::CertificateEnded, format!("does not hold yet: it begins in {begins}"))
        }
        Standing::Ended => {
            let ago = time_words(now.saturating_sub(lifetime.until));
            (Code::CertificateEnded, format!("ended {ago} ago"))
        }
        Standing::Ending | Standing::Critical => {
            (Code::CertificateEnding, format!("ends in {}", time_words(lifetime.left(now))))
        }
    })
}

/// A time as people say it, in one unit.
pub(crate) fn time_words(time: Duration) -> String {
    let seconds = time.as_secs();
    let (count, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7_200 => (seconds / 60, "minute"),
        7_200..172_800 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_for_long_is_not_spoken_of() {
        let at = Duration::from_secs;
        let day = Lifetime { from: at(100_000), until: at(186_400) };
        for (now, wanted) in [
            (99_999, Some("does not hold yet: it begins in 1 second")),
            (100_000, None),
            (150_000, None),
            (160_000, Some("ends in 7 hours")),
            (186_340, Some("ends in 60 seconds")),
            (186_521, Some("ended 2 minutes ago")),
            (1_000_000, Some("ended 9 days ago")),
        ] {
            let words = age_words(day, at(now));
            assert_eq!(words.as_ref().map(|(_, words)| words.as_str()), wanted, "{now}");
        }
    }
}
